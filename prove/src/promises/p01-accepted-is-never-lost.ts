import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { playFaults } from '../faults/fault-player.ts';
import { faultSchedule } from '../faults/fault-schedule.ts';
import type { Proof } from '../proof.ts';

const SIZES = {
  pr: { jobs: 3_000, ratePerSecond: 200, kills: { worker: 2, api: 2, redis: 2 }, cuts: 2, freezes: 0 },
  nightly: { jobs: 100_000, ratePerSecond: 300, kills: { worker: 20, api: 15, redis: 15 }, cuts: 8, freezes: 5 },
};
const LOOK_EVERY_MS = 1_000;

/** The run that the whole engine is built for. */
export const acceptedIsNeverLost: Proof = {
  id: 'P1',
  title: 'A 202 is never lost',
  tier: 'pr',
  target: 'lost 0, books balanced, over 50 kill -9 (a small run of 6 in the tier pr)',
  run: async ({ tier, random, start, findings, say }) => {
    const { jobs, ratePerSecond, kills, cuts, freezes } = SIZES[tier];
    const stack = await start({ proxied: true });
    // Long enough for kills to fall between an effect and its answer.
    await stack.sink.behave('main', { kind: 'ok', delayMs: 30 });
    const schedule = faultSchedule({
      ...{ random, kills, cuts, freezes, scriptFlushes: 1 },
      durationMs: (jobs / ratePerSecond) * 1_000,
    });
    const sendings = Array.from({ length: jobs }, (_, i) => delivery(`p1-${i}`));

    const unbalanced: number[] = [];
    let looks = 0;
    const watch = setInterval(() => {
      // While Redis is down nobody can look.
      stack.books().then(
        (books) => {
          looks += 1;
          if (books.missing !== 0) unbalanced.push(books.missing);
          if (looks % 30 === 0) say(`P1: ${books.accepted} accepted, ${books.completed} completed`);
        },
        () => undefined,
      );
    }, LOOK_EVERY_MS);
    const startedAt = performance.now();
    try {
      await Promise.all([stack.driver.drive(sendings, { ratePerSecond }), playFaults(stack, schedule)]);
      const { duplicateStarts, repeatedCalls } = await settleAccounts(stack, findings, 180_000);
      // A worker that is frozen or cut off for longer than its lease is as good as dead, to the others.
      const most = (kills.worker + freezes + cuts * stack.workers.length) * (stack.slots / stack.workers.length);
      findings.expect('duplicate starts', duplicateStarts, { atMost: most });
      findings.notes.push(`${repeatedCalls} calls were repeated under their key and had no second effect`);
    } finally {
      clearInterval(watch);
    }
    findings.expect('acknowledged', stack.ledger.acked, { is: jobs });
    findings.expect('looks at books that did not balance', unbalanced.length, { is: 0 });
    findings.expect('looks at the books', looks, { atLeast: 3 });
    findings.expect('whole run', Math.round((performance.now() - startedAt) / 1_000), { atMost: 900 }, 's');
  },
};
