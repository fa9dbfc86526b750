import type { Findings } from '../finding.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { check, type Breaks } from './checker.ts';

/**
 * Waits until the queue is empty, lays the books of senders, sink and queue side by side, and holds what every promise
 * promises against them: nothing lost, no ghost, no duplicate effect, books that balance.
 *
 * @throws Error with the books when the queue does not become empty in time
 */
export async function settleAccounts(stack: ProvingStack, findings: Findings, deadlineMs = 60_000): Promise<Breaks> {
  const books = await stack.drained(deadlineMs);
  const sent = stack.ledger.entries;
  const attempts = await stack.fields(stack.ledger.jobIds, 'attempt');
  const starts = new Map(Array.from(attempts, ([id, attempt]) => [id, Number(attempt ?? 0)]));
  const effects = (await stack.sink.effects()).filter(({ destination }) => destination !== 'gates');
  // What waits at a gate has no effect: its end is in the books of the queue.
  const gated = await ended(stack, sent.map(({ jobIds }) => [...jobIds]).flat(), effects);
  const breaks = check({ sent, effects, dead: new Set([...(await stack.dead()), ...gated]), starts });
  const { figures } = findings;
  figures.n ??= stack.ledger.acked;
  figures.kills ??= Object.values(stack.kills).reduce((sum, count) => sum + count, 0);
  figures.lost = breaks.lost.length;
  figures.duplicates = breaks.duplicateEffects.length;
  findings.expect('lost', breaks.lost.length, { is: 0 });
  findings.expect('ghosts', breaks.ghosts.length, { is: 0 });
  findings.expect('duplicate effects', breaks.duplicateEffects.length, { is: 0 });
  findings.expect('keys with two jobs', breaks.dividedKeys.length, { is: 0 });
  findings.expect('jobs missing in the books', books.missing, { is: 0 });
  findings.expect('faults of the audit', (await stack.auditFaults()).length, { is: 0 });
  return breaks;
}

/** Of the jobs without an effect, those of tasks that have none and that are completed. */
async function ended(
  stack: ProvingStack,
  jobIds: readonly string[],
  effects: readonly { readonly jobId: string }[],
): Promise<string[]> {
  const done = new Set(effects.map(({ jobId }) => jobId));
  const rest = jobIds.filter((id) => !done.has(id));
  const states = await stack.fields(rest, 'state');
  const envelopes = await stack.fields(rest, 'envelope');
  return rest.filter((id) => states.get(id) === 'completed' && !envelopes.get(id)?.includes('"prove.deliver"'));
}
