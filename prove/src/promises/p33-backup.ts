import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@coordinator/task-testing';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const RATE = 100;
const LOAD_S = { pr: 5, nightly: 30 };

/** The files of Redis are copied under load, and another Redis starts on the copy. */
export const backup: Proof = {
  id: 'P33',
  title: 'A backup restores',
  tier: 'nightly',
  target: 'every job that had not ended when the copy was made goes on, under the same keys to its downstream',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    await stack.sink.behave('main', { kind: 'ok', delayMs: 400 });
    const sendings = Array.from({ length: RATE * LOAD_S[tier] }, (_, i) => delivery(`p33-${i}`));
    const driving = stack.driver.drive(sendings, { ratePerSecond: RATE });
    await eventually(
      () => {
        if (stack.ledger.acked < sendings.length / 2) throw new Error('the load is not half way');
      },
      { deadlineMs: 60_000 },
    );
    const copy = await mkdtemp(join(tmpdir(), 'coordinator-backup-'));
    try {
      const ackedBefore = new Set(stack.ledger.jobIds);
      const doneBefore = new Set((await stack.sink.effects()).map(({ jobId }) => jobId));
      await cp(stack.redis.dir, copy, { recursive: true });
      await driving;
      await stack.drained(120_000);
      const keysBefore = new Map(
        (await stack.sink.effects()).map(({ jobId, idempotencyKey }) => [jobId, idempotencyKey]),
      );

      const restored = await start({ redisDir: copy });
      const books = await restored.drained(120_000);
      const effects = await restored.sink.effects();
      const again = new Set(effects.map(({ jobId }) => jobId));
      const forgotten = [...ackedBefore].filter((id) => !doneBefore.has(id) && !again.has(id));
      findings.figures.n = again.size;
      findings.figures.lost = forgotten.length;
      findings.expect('accepted before the copy, not done then and not done after', forgotten.length, { is: 0 });
      const otherKeys = effects.filter(({ jobId, idempotencyKey }) => keysBefore.get(jobId) !== idempotencyKey);
      findings.expect('jobs done again under another key', otherKeys.length, { is: 0 });
      findings.expect('jobs that went on from the copy', again.size, { atLeast: 1 });
      findings.expect('jobs missing in the books', books.missing, { is: 0 });
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  },
};
