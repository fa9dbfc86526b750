import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { shuffled } from '../faults/random.ts';
import type { Proof } from '../proof.ts';
import type { SinkCall } from '../sink/effect-ledger.ts';

const SIZES = { pr: { lanes: 30, jobs: 5, kills: 1 }, nightly: { lanes: 1_000, jobs: 20, kills: 10 } };

/** Jobs of one lane, one after the other, while workers die. */
export const lanes: Proof = {
  id: 'P27',
  title: 'Jobs of a lane keep their order',
  tier: 'nightly',
  target: 'per lane: overlaps 0, inversions 0, through kills of workers; without a lane nothing is promised',
  run: async ({ tier, random, start, findings }) => {
    const { lanes: count, jobs, kills } = SIZES[tier];
    const stack = await start();
    await stack.sink.behave('main', { kind: 'ok', delayMs: 20 });
    const names = Array.from({ length: count }, (_, i) => `lane-${i}`);
    for (let seq = 0; seq < jobs; seq += 1) {
      // A job is sent when the one before it in its lane has been accepted: that is the order that counts.
      const sendings = shuffled(names, random).map((lane) => delivery(`p27-${lane}-${seq}`, { lane, seq }));
      const driving = stack.driver.drive(sendings, { ratePerSecond: 300 });
      if (seq % Math.ceil(jobs / kills) === 0) await stack.kill('worker', seq % stack.workers.length);
      await driving;
    }
    const { inversions } = await settleAccounts(stack, findings, 300_000);
    findings.expect('lanes with an inversion', inversions.length, { is: 0 });
    findings.expect('lanes with an overlap', overlaps(await stack.sink.calls()), { is: 0 });
  },
};

/** Lanes in which calls of two jobs were under way at once. */
function overlaps(calls: readonly SinkCall[]): number {
  const lanesOf = new Map<string, { job: string; until: number }>();
  const overlapping = new Set<string>();
  for (const { lane, jobId, at, endedAt = Infinity } of calls) {
    if (lane === undefined) continue;
    const before = lanesOf.get(lane);
    if (before && before.job !== jobId && at < before.until) overlapping.add(lane);
    lanesOf.set(lane, { job: jobId, until: Math.max(endedAt, before?.until ?? 0) });
  }
  return overlapping.size;
}
