import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { WrongClocks } from '../stack/wrong-clocks.ts';
import { gatesWhen } from './gate-watch.ts';

const HOUR_MS = 3_600_000;
const JUMP_EVERY_MS = { pr: 3_000, nightly: 10_000 };
const JOBS = { pr: 30, nightly: 300 };
const DELAY_MS = 4_000;

/** The clocks of APIs and workers are wrong by an hour, to one side and the other. */
export const clocks: Proof = {
  id: 'P24',
  title: 'Clocks do not matter',
  tier: 'nightly',
  target:
    'clocks that jump by ± 1 h while jobs run: delayed jobs start within 1 s of their time, no lease is lost, durations stay true',
  run: async ({ tier, start, findings }) => {
    const clocks = new WrongClocks({
      jumpMs: HOUR_MS,
      everyMs: JUMP_EVERY_MS[tier],
      ahead: ['api-1', 'worker-2'],
      behind: ['api-2', 'worker-1'],
    });
    const over = new AbortController();
    let stack: ProvingStack | undefined;
    try {
      stack = await start({ envOf: clocks.envOf });
      const jumping = clocks.jump(stack, over.signal);
      await work(stack, JOBS[tier], findings);
      over.abort();
      await jumping;
      findings.notes.push(`clocks were set by ${clocks.by}`);
      const { unmoved } = clocks;
      if (unmoved !== undefined) findings.expect('processes not seen an hour off to both sides', unmoved, { is: 0 });
    } finally {
      over.abort();
      clocks.remove(stack);
    }
  },
};

async function work(stack: ProvingStack, jobs: number, findings: Findings): Promise<void> {
  // These hold their leases over many jumps.
  const holding = Array.from({ length: stack.slots / 2 }, (_, i) => gatedJob(`p24-held-${i}`));
  await stack.driver.drive(holding, { ratePerSecond: 100 });
  await gatesWhen(stack, (gates) => gates.length === holding.length);

  const delayed = Array.from({ length: jobs }, (_, i) => {
    const sending = delivery(`p24-${i}`);
    return { ...sending, body: { ...sending.body, delayMs: DELAY_MS } };
  });
  await stack.driver.drive(delayed, { ratePerSecond: 5 });
  const effectsOf = async () => new Map((await stack.sink.effects()).map(({ note, at }) => [note, at]));
  const allDone = async () => {
    const effects = await effectsOf();
    const left = delayed.filter(({ key }) => !effects.has(key));
    if (left.length > 0) throw new Error(`${left.length} delayed jobs are not done`);
  };
  // One that is later than that is late, and is told below.
  await eventually(allDone, { deadlineMs: DELAY_MS + 10_000 }).catch(() => undefined);
  await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));

  findings.figures.n = delayed.length;
  const accepted = new Map(stack.driver.answers.map(({ key, dueAt, endedAt }) => [key, { dueAt, endedAt }]));
  const effects = await effectsOf();
  const errors = delayed.map(({ key }) => {
    const { dueAt = 0, endedAt = 0 } = accepted.get(key) ?? {};
    const at = effects.get(key) ?? Infinity;
    // Somewhere between the sending and its answer it was accepted.
    return Math.max(0, dueAt + DELAY_MS - at, at - (endedAt + DELAY_MS));
  });
  findings.expect('delayed jobs off their time by p99', percentile(errors, 0.99), { atMost: 1_000 }, 'ms');
  findings.expect('leases lost', stack.log.matching(/^(took back a job|lease lost)/).length, { is: 0 });
  const { longest, negative } = await durations(stack);
  findings.expect('times of attempts, by the metric, that are negative', negative, { is: 0 });
  findings.expect('times of attempts of a worker, by the metric, in all', longest, { atMost: HOUR_MS / 2_000 }, 's');
  await settleAccounts(stack, findings);
}

/** What the workers have measured of their attempts: half an hour in all is more than they had, and less than one jump. */
async function durations(stack: ProvingStack): Promise<{ longest: number; negative: number }> {
  const metrics = await Promise.all(stack.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  const sums = metrics.map((text) =>
    [...text.matchAll(/^coordinator_attempt_duration\w*_sum\S* (\S+)$/gm)].map(([, sum]) => Number(sum)),
  );
  return {
    // None at all is NaN, which meets no bound.
    longest: Math.max(...sums.map((ofOne) => ofOne.reduce((sum, value) => sum + value, ofOne.length > 0 ? 0 : NaN))),
    negative: sums.flat().filter((sum) => !(sum >= 0)).length,
  };
}
