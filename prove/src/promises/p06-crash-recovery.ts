import { settleAccounts } from '../checker/settle-accounts.ts';
import { gatedJob } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import { gatesWhen } from './gate-watch.ts';

const LEASE_MS = 3_000;
const CONCURRENCY = 10;
const KILLS = { pr: 3, nightly: 20 };

/** A worker dies in the middle of its jobs. */
export const crashRecovery: Proof = {
  id: 'P6',
  title: 'Crash recovery is fast',
  tier: 'pr',
  target: 'jobs of a killed worker start elsewhere within the lease + 2 s (p99)',
  run: async ({ tier, random, start, findings }) => {
    const stack = await start({ leaseMs: LEASE_MS, concurrency: CONCURRENCY });
    for (let round = 0; round < KILLS[tier]; round += 1) {
      const sendings = Array.from({ length: CONCURRENCY }, (_, i) => gatedJob(`p6-${round}-${i}`));
      await stack.driver.drive(sendings, { ratePerSecond: 200 });
      const held = await gatesWhen(stack, (gates) => gates.length === CONCURRENCY);
      const pids = new Set(held.map(({ pid }) => pid));
      const victims = stack.workers.filter(({ pid }) => pids.has(pid));
      const victim = victims[Math.floor(random() * victims.length)];
      if (!victim) throw new Error('No worker holds a job');
      const orphans = held.filter(({ pid }) => pid === victim.pid);

      const killedAt = Date.now();
      // It stays away for as long as it takes, so that it is the other one that takes over.
      await stack.kill('worker', stack.workers.indexOf(victim), LEASE_MS + 1_000);
      const taken = await gatesWhen(stack, (gates) =>
        orphans.every(({ jobId }) => gates.some((gate) => gate.jobId === jobId && gate.attempt >= 2)),
      );
      for (const { jobId } of orphans) {
        const again = taken.find((gate) => gate.jobId === jobId && gate.attempt >= 2);
        if (again) findings.recoveriesMs.push(again.at - killedAt);
      }
      await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));
      await stack.drained();
      await victim.ready();
    }
    const p99 = percentile(findings.recoveriesMs, 0.99);
    findings.expect('restart elsewhere p99', p99, { atMost: LEASE_MS + 2_000 }, 'ms');
    await settleAccounts(stack, findings);
  },
};
