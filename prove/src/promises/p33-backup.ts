import { rm } from 'node:fs/promises';
import { eventually } from '@coordinator/task-testing';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Proof, Scene } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { backUp, restore, type BackupKind } from '../stack/redis-backup.ts';

const RATE = 100;
const LOAD_S = { pr: 5, nightly: 30 };
const LATER_MS = 5_000;
const LANES = 10;
const KINDS: readonly BackupKind[] = ['append-only files', 'snapshot'];

/** A copy, and the jobs that were accepted before it was begun. */
interface Copy {
  readonly kind: BackupKind;
  readonly dir: string;
  readonly acked: readonly string[];
}

/** Redis is copied under load, in both ways in which it can be, and another Redis starts on each copy. */
export const backup: Proof = {
  id: 'P33',
  title: 'A backup restores',
  tier: 'nightly',
  target:
    'from a copy of the append-only files and from a snapshot, both made under load: every job that had not ended goes on, under the same keys to its downstream, and idempotency keys are known',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    await stack.sink.behave('main', { kind: 'ok', delayMs: 400 });
    const sendings = Array.from({ length: RATE * LOAD_S[tier] }, (_, i) => jobOf(i));
    const driving = stack.driver.drive(sendings, { ratePerSecond: RATE });
    const copies: Copy[] = [];
    try {
      for (const [i, kind] of KINDS.entries()) {
        await untilAccepted(stack, ((i + 1) * sendings.length) / (KINDS.length + 2));
        const acked = stack.ledger.jobIds;
        const dir = await backUp(kind, stack.redis.dir, (...command) => stack.command(...command));
        copies.push({ kind, dir, acked });
      }
      await driving;
      await stack.drained(120_000);
      const effects = await stack.sink.effects();
      const keys = new Map(effects.map(({ jobId, idempotencyKey }) => [jobId, idempotencyKey]));
      await stack.stop();
      for (const copy of copies) await goOn(copy, keys, sendings[0] as Sending, { start, findings });
    } finally {
      for (const { dir } of copies) await rm(dir, { recursive: true, force: true });
    }
  },
};

/** Some wait for their time, some for each other, so that a copy has jobs in every state. */
function jobOf(i: number): Sending {
  const lane = i % 4 === 1 ? { lane: `lane-${i % LANES}`, seq: i } : {};
  const { key, body } = delivery(`p33-${i}`, lane);
  return { key, body: { ...body, delayMs: i % 4 === 2 ? LATER_MS : 0 } };
}

async function untilAccepted(stack: ProvingStack, jobs: number): Promise<void> {
  await eventually(
    () => {
      if (stack.ledger.acked < jobs) throw new Error(`${stack.ledger.acked} of ${jobs} are accepted`);
    },
    { deadlineMs: 120_000 },
  );
}

async function goOn(
  { kind, dir, acked }: Copy,
  keys: ReadonlyMap<string, string>,
  known: Sending,
  { start, findings }: Pick<Scene, 'start' | 'findings'>,
): Promise<void> {
  await restore(kind, dir);
  const restored = await start({ redisDir: dir });
  const books = await restored.drained(120_000);
  const effects = await restored.sink.effects();
  const again = new Set(effects.map(({ jobId }) => jobId));
  const states = await restored.fields(acked, 'state');
  const lost = acked.filter((id) => states.get(id) !== 'completed');
  findings.figures.n = (findings.figures.n ?? 0) + again.size;
  findings.figures.lost = (findings.figures.lost ?? 0) + lost.length;
  const expect = (what: string, value: number, bound: { readonly is: number } | { readonly atLeast: number }) =>
    findings.expect(`${kind}: ${what}`, value, bound);
  expect('jobs accepted before the copy that are not done after it', lost.length, { is: 0 });
  const otherKeys = effects.filter(({ jobId, idempotencyKey }) => keys.get(jobId) !== idempotencyKey);
  expect('jobs done again under another key', otherKeys.length, { is: 0 });
  expect('jobs that went on', again.size, { atLeast: 1 });
  expect('jobs missing in the books', books.missing, { is: 0 });
  expect('faults of the audit', (await restored.auditFaults()).length, { is: 0 });
  const answer = await restored.driver.send(known);
  expect('an idempotency key of before is known', answer.duplicate ? 1 : 0, { is: 1 });
  await restored.stop();
}
