import { delivery } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { Manner } from '../sink/manner.ts';

const MANNERS: readonly Manner[] = [
  { kind: 'hang' },
  { kind: 'drip' },
  { kind: 'reset' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, headers: { 'retry-after': '5' } },
];
const WINDOW_S = { pr: 4, nightly: 20 };
const STUCK = 50;
const RATE = 100;

/** A service that is dead in every way, and the latency of those who enqueue. */
export const deadDownstream: Proof = {
  id: 'P14',
  title: 'A dead downstream does not slow the API',
  tier: 'nightly',
  target: 'accept p99 at most 1.25 × that of healthy windows in the same run + 5 ms; no answer but 202',
  run: async ({ tier, start, findings, say }) => {
    const stack = await start();
    const healthy: number[] = [];
    const faulty: number[] = [];
    const window = async (name: string, into: number[], destination: string) => {
      const before = stack.driver.answers.length;
      const sendings = Array.from({ length: RATE * WINDOW_S[tier] }, (_, i) =>
        delivery(`p14-${name}-${i}`, { destination }),
      );
      await stack.driver.drive(sendings, { ratePerSecond: RATE, insist: false });
      into.push(...stack.driver.answers.slice(before).map(({ dueAt, endedAt }) => endedAt - dueAt));
    };
    await window('warm-up', [], 'main');
    for (const [i, manner] of MANNERS.entries()) {
      say(`P14: ${manner.kind}`);
      await window(`healthy-${i}`, healthy, 'main');
      await stack.sink.behave(`dead-${i}`, manner);
      await stack.driver.drive(
        Array.from({ length: STUCK }, (_, k) => delivery(`p14-stuck-${i}-${k}`, { destination: `dead-${i}` })),
        { ratePerSecond: 200 },
      );
      await window(`faulty-${i}`, faulty, 'main');
      await stack.sink.behave(`dead-${i}`, { kind: 'ok' });
    }
    const [well, ill] = [percentile(healthy, 0.99), percentile(faulty, 0.99)];
    findings.figures.n = healthy.length + faulty.length;
    findings.expect('accept p99 with a dead downstream', ill, { atMost: Math.round(1.25 * well + 5) }, 'ms');
    findings.notes.push(`p99 of the healthy windows: ${well} ms`);
    const refused = stack.driver.answers.filter(({ status }) => status !== 202);
    findings.expect('answers other than 202', refused.length, { is: 0 });
  },
};
