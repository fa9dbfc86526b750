import { settleAccounts } from '../checker/settle-accounts.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const JOBS = { pr: 100, nightly: 1_000 };
const OUTAGE_MS = { pr: 15_000, nightly: 300_000 };
const BUCKET_MS = 250;
/** A breaker that is open may look once in a while whether the service is back. */
const PROBE_EVERY_MS = 1_000;

/** A service answers 503 for minutes while many jobs want it. */
export const noRetryStorm: Proof = {
  id: 'P17',
  title: 'No retry storm',
  tier: 'nightly',
  target:
    'calls at most first tries × 1.1 + probes; after it is back no 250 ms bucket above 3 × the mean; an open breaker spends no attempt',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    await stack.sink.behave('ill', { kind: 'status', status: 503 });
    const sendings = Array.from({ length: JOBS[tier] }, (_, i) => delivery(`p17-${i}`, { destination: 'ill' }));
    await stack.driver.drive(sendings, { ratePerSecond: 100 });
    await delay(OUTAGE_MS[tier]);
    const calls = (await stack.sink.calls()).length;
    const probes = Math.ceil(OUTAGE_MS[tier] / PROBE_EVERY_MS);
    const attempts = [...(await stack.fields(stack.ledger.jobIds, 'attempt')).values()].map(Number);
    await stack.sink.behave('ill', { kind: 'ok' });
    const healedAt = Date.now();
    await settleAccounts(stack, findings, 180_000);

    findings.expect('calls meanwhile', calls, { atMost: Math.round(JOBS[tier] * 1.1 + probes) });
    const spent = attempts.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
    findings.expect('attempts spent beyond the first', spent, { atMost: Math.round(JOBS[tier] * 0.1) });
    const calledAt = (await stack.sink.calls()).map(({ at }) => at).filter((at) => at >= healedAt);
    const after = calledAt.sort((a, b) => a - b);
    const first = after[0] ?? healedAt;
    const buckets = new Map<number, number>();
    for (const at of after) {
      const bucket = Math.floor((at - first) / BUCKET_MS);
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
    }
    // From the first call, which waits for a probe, to when nearly all were made: one straggler makes no storm of the rest.
    const nearlyAll = after[Math.floor(after.length * 0.95)] ?? first;
    const mean = (after.length * 0.95) / (Math.floor((nearlyAll - first) / BUCKET_MS) + 1);
    findings.expect('largest bucket after it is back', Math.max(...buckets.values()), { atMost: Math.ceil(3 * mean) });
  },
};
