import { eventually } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import { gatesWhen } from './gate-watch.ts';

const STALL_MS = { pr: 6_000, nightly: 60_000 };

/** The host of Redis vanishes without a word: its connections stay open and carry nothing. */
export const halfOpen: Proof = {
  id: 'P8',
  title: 'Half-open connections heal',
  tier: 'nightly',
  target: 'workers and APIs work within 15 s after the network is back, without a restart',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ proxied: true });
    const { proxy } = stack;
    if (!proxy) throw new Error('There is no proxy');
    await stack.driver.drive(
      Array.from({ length: 100 }, (_, i) => delivery(`p8-before-${i}`)),
      { ratePerSecond: 50 },
    );
    await proxy.behave('stall');
    const during = Array.from({ length: 20 }, (_, i) => delivery(`p8-during-${i}`));
    const driving = stack.driver.drive(during, { ratePerSecond: 10 });
    await delay(STALL_MS[tier]);
    await proxy.behave('pass');
    const backAt = Date.now();

    const resumedAt = await eventually(
      () => {
        const first = stack.driver.answers.find(({ status, endedAt }) => status === 202 && endedAt >= backAt);
        if (!first) throw new Error('no 202 since the network is back');
        return first.endedAt;
      },
      { deadlineMs: 60_000 },
    );
    await driving;
    const waiting = Array.from({ length: stack.slots * 2 }, (_, i) => gatedJob(`p8-after-${i}`));
    await stack.driver.drive(waiting, { ratePerSecond: 200 });
    await gatesWhen(stack, (gates) => gates.length >= stack.slots, 60_000);
    findings.recoveriesMs.push(Date.now() - backAt);
    findings.expect('accepts resumed after', resumedAt - backAt, { atMost: 15_000 }, 'ms');
    findings.expect('all slots worked after', Date.now() - backAt, { atMost: 15_000 }, 'ms');
    findings.notes.push('by a proxy that lets nothing through; a rebuilt network namespace was not tried');
    await stack.sink.open('all');
    await settleAccounts(stack, findings);
  },
};
