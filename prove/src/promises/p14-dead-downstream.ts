import { delivery, type SendAnswer } from '../driver/sending.ts';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { Manner } from '../sink/manner.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

/** Connections to the side door of the sink are refused; all else is what the sink does itself. */
type Death = { readonly kind: 'refuse' } | Manner;

const DEATHS: readonly Death[] = [
  { kind: 'refuse' },
  { kind: 'hang' },
  { kind: 'drip' },
  { kind: 'reset' },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, headers: { 'retry-after': '5' } },
];
/** Of each death there are as many pairs of windows, one healthy and one with the dead service. */
const PAIRS = { pr: 1, nightly: 3 };
const WINDOW_S = { pr: 4, nightly: 20 };
const STUCK = 50;
const RATE = 100;

/** A service that is dead in every way, and the latency of those who enqueue. */
export const deadDownstream: Proof = {
  id: 'P14',
  title: 'A dead downstream does not slow the API',
  tier: 'nightly',
  target:
    'a service that refuses, hangs, drips, resets, answers 500 or 429, 50 jobs stuck: accept p99 (median of the seconds) at most 1.25 × that of healthy windows in the same run + 5 ms; no answer but 202',
  run: async ({ tier, start, findings, say }) => {
    // It leads to the sink once that is there.
    const sideDoor = new TcpProxy(0);
    await sideDoor.start();
    try {
      const env = { PROVE_SIDE_DOOR_URL: `http://127.0.0.1:${sideDoor.port}` };
      const stack = await start({ env });
      sideDoor.lead(Number(new URL(stack.sink.url).port));
      const healthy: SendAnswer[] = [];
      const faulty: SendAnswer[] = [];
      let free = 0;
      await window(stack, 'warm-up', WINDOW_S[tier]);
      for (const [i, death] of DEATHS.entries()) {
        say(`P14: ${death.kind}`);
        for (let pair = 0; pair < PAIRS[tier]; pair += 1) {
          const name = `${i}-${pair}`;
          healthy.push(...(await window(stack, `healthy-${name}`, WINDOW_S[tier])));
          await die(death, `side-${i}`, stack, sideDoor);
          const stuck = await stickJobs(stack, name, `side-${i}`);
          faulty.push(...(await window(stack, `faulty-${name}`, WINDOW_S[tier])));
          free += [...(await stack.fields(stuck, 'state')).values()].filter((state) => state === 'completed').length;
          await sideDoor.behave('pass');
          await stack.sink.behave(`side-${i}`, { kind: 'ok' });
          // A window is healthy when nothing is left of what was stuck.
          await stack.drained(120_000);
        }
      }
      const [well, ill] = [p99OfSeconds(healthy), p99OfSeconds(faulty)];
      findings.figures.n = healthy.length + faulty.length;
      findings.expect('accept p99 with a dead downstream', ill, { atMost: Math.round(1.25 * well + 5) }, 'ms');
      const seconds = DEATHS.length * PAIRS[tier] * WINDOW_S[tier];
      findings.notes.push(
        `healthy ${well} ms, in ${seconds} s of each kind in turns; p99 of all ${p99(faulty)} ms, healthy ${p99(healthy)} ms`,
      );
      findings.expect('jobs of the dead service that were done', free, { is: 0 });
      const refused = stack.driver.answers.filter(({ status }) => status !== 202);
      findings.expect('answers other than 202', refused.length, { is: 0 });
    } finally {
      await sideDoor.stop();
    }
  },
};

async function die(death: Death, destination: string, stack: ProvingStack, sideDoor: TcpProxy): Promise<void> {
  if (death.kind === 'refuse') await sideDoor.behave('refuse');
  else await stack.sink.behave(destination, death);
}

/** Returns the ids of the jobs. */
async function stickJobs(stack: ProvingStack, name: string, destination: string): Promise<string[]> {
  const before = stack.driver.answers.length;
  const sendings = Array.from({ length: STUCK }, (_, i) => delivery(`p14-stuck-${name}-${i}`, { destination }));
  await stack.driver.drive(sendings, { ratePerSecond: 200 });
  return stack.driver.answers.slice(before).flatMap(({ jobIds }) => jobIds);
}

/** Accepts that are meant for another service. */
async function window(stack: ProvingStack, name: string, seconds: number): Promise<SendAnswer[]> {
  const before = stack.driver.answers.length;
  const sendings = Array.from({ length: RATE * seconds }, (_, i) => delivery(`p14-${name}-${i}`));
  await stack.driver.drive(sendings, { ratePerSecond: RATE, insist: false });
  return stack.driver.answers.slice(before);
}

function p99(answers: readonly SendAnswer[]): number {
  return Math.round(
    percentile(
      answers.map(({ dueAt, endedAt }) => endedAt - dueAt),
      0.99,
    ),
  );
}

/** The median of that of each second: what else the machine does slows some of them, a dead service would slow all. */
function p99OfSeconds(answers: readonly SendAnswer[]): number {
  const seconds = new Map<number, SendAnswer[]>();
  for (const answer of answers) {
    const second = Math.floor(answer.dueAt / 1_000);
    seconds.set(second, [...(seconds.get(second) ?? []), answer]);
  }
  return percentile(Array.from(seconds.values(), p99), 0.5);
}
