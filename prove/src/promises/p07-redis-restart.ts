import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { gatesWhen } from './gate-watch.ts';

const OUTAGES_MS = {
  pr: [500, 500],
  nightly: [...Array<number>(10).fill(500), ...Array<number>(4).fill(10_000), 60_000],
};
const RATE = 50;
const DELAYED = 5;

/** Redis goes and comes back; nobody restarts anything of ours. */
export const redisRestart: Proof = {
  id: 'P7',
  title: 'A restart of Redis needs no restart of ours',
  tier: 'pr',
  target: 'accepts resume within 2 s, all slots work within 5 s, delayed jobs are at most 5 s late',
  run: async ({ tier, start, findings, say }) => {
    const stack = await start();
    const resumed: number[] = [];
    const allSlots: number[] = [];
    const late: number[] = [];
    for (const [round, outageMs] of OUTAGES_MS[tier].entries()) {
      say(`P7: Redis away for ${outageMs} ms`);
      const found = await outage(stack, `p7-${round}`, outageMs);
      resumed.push(found.resumedMs);
      allSlots.push(found.allSlotsMs);
      late.push(...found.lateMs);
    }
    findings.recoveriesMs.push(...allSlots);
    findings.expect('accepts resumed after', Math.max(...resumed), { atMost: 2_000 }, 'ms');
    findings.expect('all slots worked after', Math.max(...allSlots), { atMost: 5_000 }, 'ms');
    findings.expect('delayed jobs late by p99', percentile(late, 0.99), { atMost: 5_000 }, 'ms');
    await settleAccounts(stack, findings);
  },
};

async function outage(stack: ProvingStack, name: string, outageMs: number) {
  const load = Array.from({ length: Math.ceil((RATE * (outageMs + 4_000)) / 1_000) }, (_, i) =>
    delivery(`${name}-load-${i}`),
  );
  const delayMs = Math.round(1_000 + outageMs / 2);
  const delayed = Array.from({ length: DELAYED }, (_, i) => {
    const sending = delivery(`${name}-delayed-${i}`);
    return { ...sending, body: { ...sending.body, delayMs } };
  });
  const acceptedFrom = Date.now();
  await stack.driver.drive(delayed, { ratePerSecond: 100 });
  const before = stack.driver.answers.length;
  const driving = stack.driver.drive(load, { ratePerSecond: RATE });
  await eventually(() => {
    if (stack.driver.answers.length <= before + 5) throw new Error('the load has not begun');
  });
  await stack.kill('redis', 0, outageMs);
  const backAt = Date.now();

  const resumedAt = await eventually(() => {
    const first = stack.driver.answers.find(({ status, endedAt }) => status === 202 && endedAt >= backAt);
    if (!first) throw new Error('no 202 since Redis is back');
    return first.endedAt;
  });
  // Twice as many as there are slots: when as many as there are wait at their gates, every slot works.
  const waiting = Array.from({ length: stack.slots * 2 }, (_, i) => gatedJob(`${name}-gated-${i}`));
  await stack.driver.drive(waiting, { ratePerSecond: 200 });
  const gates = await gatesWhen(stack, (all) => all.length >= stack.slots);
  const lastAt = gates.map(({ at }) => at).sort((a, b) => a - b)[stack.slots - 1] ?? Infinity;
  while ((await stack.books()).running > 0 || (await stack.books()).waiting > 0) {
    await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));
  }
  await driving;
  await stack.drained();

  const effects = new Map((await stack.sink.effects()).map(({ note, at }) => [note, at]));
  const due = Math.max(acceptedFrom + delayMs, backAt);
  const lateMs = delayed.map(({ key }) => Math.max(0, (effects.get(key) ?? Infinity) - due));
  return { resumedMs: resumedAt - backAt, allSlotsMs: lastAt - backAt, lateMs };
}
