import { delivery, type Sending } from '../driver/sending.ts';
import { settleAccounts } from '../checker/settle-accounts.ts';
import type { Proof } from '../proof.ts';

const SPIN_MS = 10_000;
const LEASE_MS = 3_000;
const SPINNERS = { pr: 1, nightly: 5 };

/** A handler computes for longer than its lease and lets nothing else run in its process. */
export const blockedLoop: Proof = {
  id: 'P28',
  title: 'A blocked event loop is seen, not doubled',
  tier: 'nightly',
  target:
    'a handler that spins for longer than its lease is started once (heartbeats come from a thread of their own), and a log line and a metric name its task',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ leaseMs: LEASE_MS });
    for (let i = 0; i < SPINNERS[tier]; i += 1) {
      const note = `p28-${i}`;
      const spin: Sending = { key: note, body: { task: 'misbehave', payload: { note, how: 'spin', forMs: SPIN_MS } } };
      await stack.driver.drive([spin, ...Array.from({ length: 20 }, (_, k) => delivery(`${note}-beside-${k}`))], {
        ratePerSecond: 50,
      });
      await stack.drained();
    }
    const { duplicateStarts } = await settleAccounts(stack, findings);
    findings.expect('duplicate starts', duplicateStarts, { is: 0 });
    const named = stack.log.all.filter(({ msg, task }) => /event loop/i.test(msg) && task === 'prove.misbehave');
    findings.expect('log lines that name the task', named.length, { atLeast: SPINNERS[tier] });
    const metrics = await Promise.all(stack.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    const counted = metrics.join('').match(/^coordinator_event_loop_blocked_count\S*prove\.misbehave\S* \d+/gm);
    const standstills = (counted ?? []).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    findings.expect('standstills that the metric puts to the task', standstills, { atLeast: SPINNERS[tier] });
  },
};
