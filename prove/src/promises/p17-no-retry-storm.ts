import { settleAccounts } from '../checker/settle-accounts.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const JOBS = { pr: 100, nightly: 1_000 };
const OUTAGE_MS = { pr: 20_000, nightly: 300_000 };
const BUCKET_MS = 250;
/** A breaker that is open may look once in a while whether the service is back. */
const PROBE_EVERY_MS = 1_000;

interface Case {
  /** Also the destination that behaves like this. */
  readonly name: string;
  readonly status: number;
  readonly retryAfter?: string;
}

const CASES: readonly Case[] = [
  { name: 'ill', status: 503 },
  { name: 'ill-now', status: 503, retryAfter: '0' },
  { name: 'ill-soon', status: 503, retryAfter: '1' },
  { name: 'busy', status: 429 },
  { name: 'busy-now', status: 429, retryAfter: '0' },
  { name: 'busy-soon', status: 429, retryAfter: '1' },
];

/** Services refuse for minutes while many jobs want them, whatever they say about time. */
export const noRetryStorm: Proof = {
  id: 'P17',
  title: 'No retry storm',
  tier: 'nightly',
  target:
    'a service that answers 503 or 429, whatever its Retry-After: calls at most a tenth of the jobs + two a second; its breaker opens for a 503 only; after it is back no 250 ms bucket above 3 × the mean; an open breaker spends no attempt',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    for (const { name, status, retryAfter } of CASES) {
      const headers: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      await stack.sink.behave(name, { kind: 'status', status, headers });
    }
    const sendings = Array.from({ length: JOBS[tier] }, (_, i) =>
      CASES.map(({ name }) => delivery(`p17-${name}-${i}`, { destination: name })),
    );
    await stack.driver.drive(sendings.flat(), { ratePerSecond: 300 });
    await delay(OUTAGE_MS[tier]);
    const probes = Math.ceil(OUTAGE_MS[tier] / PROBE_EVERY_MS);
    const states = await stack.fields(stack.ledger.jobIds, 'state');
    const attempts = await stack.fields(stack.ledger.jobIds, 'attempt');
    const calls = await stack.sink.calls();
    for (const { name } of CASES) await stack.sink.behave(name, { kind: 'ok' });
    const healedAt = Date.now();
    await settleAccounts(stack, findings, 180_000);

    for (const { name } of CASES) {
      const made = calls.filter(({ destination }) => destination === name).length;
      findings.expect(`${name}: calls meanwhile`, made, { atMost: Math.round(JOBS[tier] * 0.1 + 2 * probes) });
    }
    const opened = new Set(
      stack.log.all.filter(({ msg }) => /^circuit breaker opened/.test(msg)).map(({ downstream }) => downstream),
    );
    const wrong = CASES.filter(({ name, status }) => opened.has(`sink-${name}`) !== (status === 503));
    findings.expect('circuit breakers in the wrong state', wrong.length, { is: 0 });
    const callsOf = new Map<string, number>();
    for (const { jobId } of calls) callsOf.set(jobId, (callsOf.get(jobId) ?? 0) + 1);
    // One that runs has an attempt that it may give back.
    const settled = [...attempts].filter(([id]) => states.get(id) !== 'running');
    const spent = settled.map(([id, count]) => ({ count: Number(count), calls: callsOf.get(id) ?? 0 }));
    const without = spent.reduce((sum, { count, calls }) => sum + Math.max(0, count - calls), 0);
    findings.expect('attempts spent without a call', without, { is: 0 });
    const beyond = spent.reduce((sum, { count }) => sum + Math.max(0, count - 1), 0);
    findings.expect('attempts spent beyond the first', beyond, { atMost: Math.round(JOBS[tier] * 0.1 * CASES.length) });
    const back = (await stack.sink.calls()).filter(({ at }) => at >= healedAt);
    for (const { name } of CASES.filter(({ status }) => status === 503)) {
      const { largest, mean } = spread(back.filter(({ destination }) => destination === name).map(({ at }) => at));
      findings.expect(`${name}: largest bucket after it is back`, largest, { atMost: Math.ceil(3 * mean) });
    }
  },
};

/** How evenly calls came from the first on, which waits for a probe. */
function spread(calledAt: readonly number[]): { readonly largest: number; readonly mean: number } {
  const after = [...calledAt].sort((a, b) => a - b);
  const first = after[0] ?? 0;
  const buckets = new Map<number, number>();
  for (const at of after) {
    const bucket = Math.floor((at - first) / BUCKET_MS);
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
  }
  // To when nearly all were made: one straggler makes no storm of the rest.
  const nearlyAll = after[Math.floor(after.length * 0.95)] ?? first;
  const mean = (after.length * 0.95) / (Math.floor((nearlyAll - first) / BUCKET_MS) + 1);
  return { largest: Math.max(0, ...buckets.values()), mean };
}
