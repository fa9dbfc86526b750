import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const KILLS = 20;
const CONCURRENCY = 10;

/** Workers die over and over in the middle of calls whose effect has been had. */
export const duplicatesAreVisible: Proof = {
  id: 'P4',
  title: 'Duplicate starts are bounded and visible',
  tier: 'nightly',
  target:
    'duplicate starts at most kills × concurrency, each a higher attempt, which its call and the logs say; duplicate effects 0',
  run: async ({ random, start, findings }) => {
    const stack = await start({ leaseMs: 1_500, concurrency: CONCURRENCY });
    // The effect is had at once, its answer comes late: a worker killed in between has done it and does not know.
    await stack.sink.behave('main', { kind: 'ok', delayMs: 300 });
    const sendings = Array.from({ length: 1_500 }, (_, i) => delivery(`p4-${i}`));
    const driving = stack.driver.drive(sendings, { ratePerSecond: 25 });
    for (let kill = 0; kill < KILLS; kill += 1) {
      await new Promise((wake) => setTimeout(wake, 1_500 + 1_000 * random()));
      await stack.kill('worker', kill % 2);
    }
    await driving;
    const { duplicateStarts, repeatedCalls } = await settleAccounts(stack, findings);
    findings.expect('duplicate starts', duplicateStarts, { atMost: KILLS * CONCURRENCY });
    findings.expect('calls repeated under their key', repeatedCalls, { atLeast: 1 });
    const attempts = new Map<string, number>();
    let unmarked = 0;
    for (const { jobId, attempt } of await stack.sink.calls()) {
      const before = attempts.get(jobId);
      if (before !== undefined && attempt <= before) unmarked += 1;
      attempts.set(jobId, attempt);
    }
    findings.expect('repeated calls that are no higher attempt', unmarked, { is: 0 });
    // A worker that is killed right after it took jobs back has not said so.
    const told = new Set(stack.log.matching(/^took back a job/).map(({ jobId }) => jobId));
    findings.expect('jobs of which a log says that they were taken back', told.size, { atLeast: 1 });
  },
};
