import { eventually } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import { unmet } from '../need.ts';
import type { Proof, Scene } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { RedisHost } from '../stack/redis-host.ts';
import { gatesWhen } from './gate-watch.ts';

const AWAY_MS = { pr: 6_000, nightly: 60_000 };

/** How Redis gets out of reach, and comes back; both resolve when it has happened. */
interface Break {
  readonly away: () => Promise<void>;
  readonly back: () => Promise<void>;
}

/** The host of Redis vanishes without a word: its connections stay open and carry nothing. */
export const halfOpen: Proof = {
  id: 'P8',
  title: 'Half-open connections heal',
  tier: 'nightly',
  target: 'workers and APIs work within 15 s after the network is back, without a restart',
  run: async ({ tier, start, findings }) => {
    const proxied = await start({ proxied: true });
    const { proxy } = proxied;
    if (!proxy) throw new Error('There is no proxy');
    const stall = { away: () => proxy.behave('stall'), back: () => proxy.behave('pass') };
    await heal(proxied, 'stalled', stall, { tier, findings });
    await proxied.stop();

    const missing = unmet(['root', 'netns']);
    if (missing.length > 0) {
      findings.notes.push(
        `by a proxy that lets nothing through; a host that is built anew needs ${missing.join(' and ')}`,
      );
      return;
    }
    const host = await RedisHost.start();
    let stack: ProvingStack | undefined;
    try {
      stack = await start({ redisUrl: host.redis.url });
      const anew = { away: () => host.vanish(), back: () => host.comeBack() };
      await heal(stack, 'host built anew', anew, { tier, findings });
    } finally {
      await stack?.stop();
      await host.stop();
    }
  },
};

async function heal(
  stack: ProvingStack,
  how: string,
  { away, back }: Break,
  { tier, findings }: Pick<Scene, 'tier' | 'findings'>,
): Promise<void> {
  await stack.driver.drive(
    Array.from({ length: 100 }, (_, i) => delivery(`p8-before-${i}`)),
    { ratePerSecond: 50 },
  );
  await away();
  const during = Array.from({ length: 20 }, (_, i) => delivery(`p8-during-${i}`));
  const driving = stack.driver.drive(during, { ratePerSecond: 10 });
  await delay(AWAY_MS[tier]);
  await back();
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
  const allSlotsMs = Date.now() - backAt;
  findings.recoveriesMs.push(allSlotsMs);
  findings.expect(`${how}: accepts resumed after`, resumedAt - backAt, { atMost: 15_000 }, 'ms');
  findings.expect(`${how}: all slots worked after`, allSlotsMs, { atMost: 15_000 }, 'ms');
  const ended = [...stack.apis, ...stack.workers].reduce((sum, { crashes }) => sum + crashes, 0);
  findings.expect(`${how}: processes that ended`, ended, { is: 0 });
  await stack.sink.open('all');
  await settleAccounts(stack, findings);
}
