import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { percentile } from '../percentile.ts';

const NEIGHBOURS = 9;
const RATE = 90;
const WINDOW_S = { pr: 5, nightly: 30 };

/** One service hangs, nine are well; all are called from one queue. */
export const neighbours: Proof = {
  id: 'P15',
  title: 'A dead downstream does not slow its neighbours',
  tier: 'nightly',
  target:
    'nine healthy services keep 95 % of their throughput while the tenth hangs; their wait p99 at most 1.2 × that of the window before + 50 ms',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    const seconds = WINDOW_S[tier];
    await window(stack, 'warm-up', 3);
    const before = await window(stack, 'healthy', seconds);
    await stack.sink.behave('hanging', { kind: 'hang' });
    const hanging = Array.from({ length: 10 * seconds }, (_, i) =>
      delivery(`p15-hang-${i}`, { destination: 'hanging' }),
    );
    const driving = stack.driver.drive(hanging, { ratePerSecond: 10 });
    const during = await window(stack, 'beside', seconds);
    await driving;
    findings.figures.n = RATE * seconds;
    findings.expect(
      'throughput of the neighbours',
      Math.round((100 * during.done) / before.done),
      { atLeast: 95 },
      '%',
    );
    const allowed = Math.round(1.2 * before.waitP99Ms + 50);
    findings.expect('wait of the neighbours p99', during.waitP99Ms, { atMost: allowed }, 'ms');
    findings.notes.push(`wait p99 before: ${before.waitP99Ms} ms`);
  },
};

async function window(stack: ProvingStack, name: string, seconds: number) {
  const keys = Array.from({ length: RATE * seconds }, (_, i) => `p15-${name}-${i}`);
  const sendings = keys.map((key, i) => delivery(key, { destination: `well-${i % NEIGHBOURS}` }));
  await stack.driver.drive(sendings, { ratePerSecond: RATE });
  const effects = new Map((await stack.sink.effects()).map(({ note, at }) => [note, at]));
  const accepted = new Map(stack.driver.answers.map(({ key, endedAt }) => [key, endedAt]));
  const now = Date.now();
  const waits = keys.map((key) => Math.max(0, (effects.get(key) ?? now) - (accepted.get(key) ?? now)));
  return { done: keys.filter((key) => effects.has(key)).length, waitP99Ms: percentile(waits, 0.99) };
}
