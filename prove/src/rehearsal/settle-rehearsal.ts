import { eventually } from '@coordinator/task-testing';
import { decodeEnvelope } from '@coordinator/tasks';
import { check } from '../checker/checker.ts';
import type { Findings } from '../finding.ts';
import { CHANGE } from './scratch-clone.ts';
import type { ReleaseStack, SandboxEffect } from './release-stack.ts';
import type { Stage, TwoReleases } from './roll-out.ts';

const DRAIN_MS = 120_000;
const TRACES = 2_000;

/** Waits until every job has ended, and lays what was acknowledged beside what was done. @throws Error when jobs do not end in time */
export async function settleRehearsal(
  stack: ReleaseStack,
  { older, newer }: TwoReleases,
  stages: readonly Stage[],
  findings: Findings,
): Promise<void> {
  const { queues, faults, balanced } = await eventually(
    async () => {
      const report = await stack.audit();
      const open = report.queues.filter((q) => q.waiting + q.scheduled + q.running + q.blocked + q.parked > 0);
      if (open.length > 0) throw new Error(`the queues stand at ${JSON.stringify(open)}`);
      return report;
    },
    { deadlineMs: DRAIN_MS, everyMs: 250 },
  );
  const sent = stack.ledger.entries;
  const effects = await stack.effects('lms.enrol');
  const jobOf = new Map(sent.map(({ key, jobIds }) => [key, [...jobIds][0] ?? key]));
  const breaks = check({
    sent,
    effects: effects.map((effect) => rowOf(effect, jobOf)),
    dead: new Set(),
    starts: new Map(),
  });
  findings.expect('orders accepted and not delivered', breaks.lost.length, { is: 0 });
  findings.expect('orders delivered that nobody placed', breaks.ghosts.length, { is: 0 });
  findings.expect('orders delivered twice', breaks.duplicateEffects.length, { is: 0 });
  findings.expect('orders with two jobs', breaks.dividedKeys.length, { is: 0 });
  findings.expect('orders accepted', stack.ledger.acked, { atLeast: 1 });
  findings.expect('enrolments', effects.length, { atLeast: stack.ledger.acked });
  const failed = stack.driver.answers.filter(({ status }) => status !== 202).length;
  findings.expect('requests that were not accepted at once', failed, { is: 0 });
  findings.expect(
    'dead letters',
    queues.reduce((sum, { dead }) => sum + dead, 0),
    { is: 0 },
  );
  findings.expect('faults of the audit', faults.length, { is: 0 });
  findings.expect('books that do not balance', balanced ? 0 : 1, { is: 0 });

  const envelopes = await countEnvelopes(stack);
  for (const [version, { version: release }] of [[1, older] as const, [2, newer] as const]) {
    const name = `${CHANGE.task} of version ${version}, accepted by ${release}`;
    findings.expect(name, envelopes.get(`${version} ${release}`) ?? 0, { atLeast: 1 });
  }
  findings.expect('pairs of a release and the payload version that it writes', envelopes.size, { is: 2 });
  findings.expect('most jobs parked at the end of a stage', Math.max(...stages.map(({ parked }) => parked)), {
    atLeast: 1,
  });
  const parkedBy = new Set(stack.log.matching(/^job parked/).map(({ release }) => release));
  findings.expect(
    `releases that parked jobs, other than ${older.version}`,
    [...parkedBy].filter((release) => release !== older.version).length,
    { is: 0 },
  );
  for (const { version } of [older, newer]) {
    const lines = stack.log.matching(/^attempt completed/).filter(({ release }) => release === version);
    findings.expect(`attempts completed by ${version}, in its log`, lines.length, { atLeast: 1 });
  }
  const traces = await stack.releasesOfTraces(TRACES);
  const both = traces.filter((releases) => releases.has(older.version) && releases.has(newer.version));
  findings.expect('traces with spans of both releases', both.length, { atLeast: 1 });
}

function rowOf({ subject, idempotencyKey, repeats }: SandboxEffect, jobOf: ReadonlyMap<string, string>) {
  const note = subject.replace(/^order:/, '');
  const jobId = jobOf.get(note) ?? note;
  return { note, jobId, destination: 'lms', idempotencyKey, attempt: 1, pid: 0, at: 0, repeats };
}

/** How many jobs of the changed task there are, by `<payload version> <release that accepted it>`. */
async function countEnvelopes(stack: ReleaseStack): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const text of (await stack.envelopes()).values()) {
    const { task, payloadVersion, release } = decodeEnvelope(text);
    if (task !== CHANGE.task) continue;
    const key = `${payloadVersion} ${release}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
