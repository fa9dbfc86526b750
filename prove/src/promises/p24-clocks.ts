import { join } from 'node:path';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
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
  target: 'clocks that jump by ± 1 h: delayed jobs start within 1 s of their time, no lease is lost',
  run: async ({ tier, start, findings }) => {
    const everyMs = JUMP_EVERY_MS[tier];
    const wrong = (jumpMs: number) => ({
      NODE_OPTIONS: `--require ${join(__dirname, '..', 'stack', 'clock-jump.js')}`,
      CLOCK_JUMP_MS: String(jumpMs),
      CLOCK_JUMP_EVERY_MS: String(everyMs),
    });
    const envOf = {
      ...{ 'api-1': wrong(HOUR_MS), 'api-2': wrong(-HOUR_MS) },
      ...{ 'worker-1': wrong(-HOUR_MS), 'worker-2': wrong(HOUR_MS) },
    };
    const stack = await start({ envOf });
    // These hold their leases over many jumps.
    const holding = Array.from({ length: stack.slots / 2 }, (_, i) => gatedJob(`p24-held-${i}`));
    await stack.driver.drive(holding, { ratePerSecond: 100 });
    await gatesWhen(stack, (gates) => gates.length === holding.length);

    const delayed = Array.from({ length: JOBS[tier] }, (_, i) => {
      const sending = delivery(`p24-${i}`);
      return { ...sending, body: { ...sending.body, delayMs: DELAY_MS } };
    });
    await stack.driver.drive(delayed, { ratePerSecond: 5 });
    const deadline = Date.now() + DELAY_MS + 5_000;
    while ((await stack.books()).scheduled > 0 && Date.now() < deadline)
      await new Promise((wake) => setTimeout(wake, 100));
    await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));

    findings.figures.n = delayed.length;
    const accepted = new Map(stack.driver.answers.map(({ key, dueAt, endedAt }) => [key, { dueAt, endedAt }]));
    const effects = new Map((await stack.sink.effects()).map(({ note, at }) => [note, at]));
    const errors = delayed.map(({ key }) => {
      const { dueAt = 0, endedAt = 0 } = accepted.get(key) ?? {};
      const at = effects.get(key) ?? Infinity;
      // Somewhere between the sending and its answer it was accepted.
      return Math.max(0, dueAt + DELAY_MS - at, at - (endedAt + DELAY_MS));
    });
    findings.expect('delayed jobs off their time by p99', percentile(errors, 0.99), { atMost: 1_000 }, 'ms');
    findings.expect('leases lost', stack.log.matching(/^(took back a job|lease lost)/).length, { is: 0 });
    await settleAccounts(stack, findings);
  },
};
