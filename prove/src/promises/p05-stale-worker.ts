import { eventually } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { gatedJob } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { gatesWhen } from './gate-watch.ts';

const LEASE_MS = 1_500;
const CONCURRENCY = 10;
const TRIALS = { pr: 10, nightly: 100 };

/** What one frozen worker came back to. */
interface Round {
  readonly trials: number;
  readonly accepted: number;
  readonly unlogged: number;
  readonly untold: number;
}

/** A worker that was frozen for longer than its lease wakes up in the middle of its jobs. */
export const staleWorker: Proof = {
  id: 'P5',
  title: 'A stale worker cannot change a job',
  tier: 'pr',
  target: 'stale finishes accepted 0, each logged as a lost lease, waiting handlers aborted',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ leaseMs: LEASE_MS, concurrency: CONCURRENCY });
    const total = { trials: 0, accepted: 0, unlogged: 0, untold: 0 };
    for (let round = 0; total.trials < TRIALS[tier] && total.accepted === 0; round += 1) {
      const found = await freezeOnce(stack, `p5-${round}`);
      total.trials += found.trials;
      total.accepted += found.accepted;
      total.unlogged += found.unlogged;
      total.untold += found.untold;
    }
    findings.figures.n = total.trials;
    findings.expect('stale finishes accepted', total.accepted, { is: 0 });
    findings.expect('stale attempts not logged', total.unlogged, { is: 0 });
    findings.expect('waiting handlers not aborted', total.untold, { is: 0 });
    await settleAccounts(stack, findings);
  },
};

async function freezeOnce(stack: ProvingStack, name: string): Promise<Round> {
  const before = stack.log.all.length;
  await stack.driver.drive(
    Array.from({ length: CONCURRENCY }, (_, i) => gatedJob(`${name}-${i}`)),
    { ratePerSecond: 200 },
  );
  const held = await gatesWhen(stack, (gates) => gates.length === CONCURRENCY);
  const victim = busiest(stack, held);
  const stale = held.filter(({ pid }) => pid === victim.pid);
  const others = held.filter(({ pid }) => pid !== victim.pid);

  victim.freeze();
  const frozenAt = performance.now();
  await stack.sink.open(others.map(({ gate }) => gate));
  // Half of them will find their work done when they wake up, the others are still to wait: those must be told.
  const finishing = stale.filter((_, i) => i % 2 === 0);
  await stack.sink.open(finishing.map(({ gate }) => gate));
  const taken = (jobId: string, gates: readonly { jobId: string; attempt: number }[]) =>
    gates.some((gate) => gate.jobId === jobId && gate.attempt >= 2);
  await gatesWhen(stack, (gates) => stale.every(({ jobId }) => taken(jobId, gates)));
  await delay(Math.max(0, 3 * LEASE_MS - (performance.now() - frozenAt)));

  victim.resume();
  const ids = stale.map(({ jobId }) => jobId);
  const logged = () =>
    new Set(
      stack.log.all
        .slice(before)
        .filter(({ msg }) => /^lease lost/.test(msg))
        .map(({ jobId }) => jobId),
    );
  await eventually(() => {
    const left = ids.filter((id) => !logged().has(id));
    if (left.length > 0) throw new Error(`${left.length} of ${ids.length} stale attempts did not end as such`);
  }).catch(() => undefined);
  const states = await stack.fields(ids, 'state');
  const accepted = ids.filter((id) => states.get(id) !== 'running').length;
  const unlogged = ids.filter((id) => !logged().has(id)).length;
  const gates = await stack.sink.gates();
  const untold = stale.filter(({ gate }) => gates.some((left) => left.gate === gate && !left.gone)).length;
  await stack.sink.open(gates.map(({ gate }) => gate));
  // Where a stale finish was accepted the books may never balance again.
  if (accepted === 0) await stack.drained();
  return { trials: ids.length, accepted, unlogged, untold };
}

function busiest(stack: ProvingStack, held: readonly { readonly pid: number }[]) {
  const load = (pid: number) => held.filter((gate) => gate.pid === pid).length;
  const [first] = [...stack.workers].sort((a, b) => load(b.pid) - load(a.pid));
  if (!first) throw new Error('There is no worker');
  return first;
}
