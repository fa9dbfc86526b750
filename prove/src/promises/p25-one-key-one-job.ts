import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { shuffled } from '../faults/random.ts';
import type { Proof } from '../proof.ts';

const KEYS = { pr: 100, nightly: 1_000 };
const SENDERS = 20;
const KEPT_MS = 96 * 3_600_000;

/** Many send the same, at once, while API and Redis die. */
export const oneKeyOneJob: Proof = {
  id: 'P25',
  title: 'One key, one job',
  tier: 'pr',
  target:
    'exactly one job per key, whatever dies; the same key with another body is 422; keys are kept for 96 h, and under memory pressure refused and not forgotten',
  run: async ({ tier, random, start, findings }) => {
    const keys = KEYS[tier];
    const stack = await start();
    const sendings = shuffled(
      Array.from({ length: keys * SENDERS }, (_, i) => delivery(`p25-${i % keys}`)),
      random,
    );
    const driving = stack.driver.drive(sendings, { ratePerSecond: 400 });
    await delay(1_000);
    await stack.kill('api', 0);
    await delay(1_000);
    await stack.kill('redis', 0, 300);
    await driving;

    findings.figures.n = keys;
    const { accepted } = await stack.drained();
    findings.expect('jobs beyond one per key', accepted - keys, { is: 0 });

    const other = await stack.driver.send(delivery('p25-0', { destination: 'another' }));
    findings.expect('the same key with another body', other.status, { is: 422 });
    const times = (await keyTimes(stack.command.bind(stack))).map((ms) => KEPT_MS - ms);
    findings.expect('keys kept for less than 96 h', times.filter((short) => short > 600_000).length, { is: 0 });

    // Half of what is in use: not a single write is taken.
    const used = Number(/used_memory:(\d+)/.exec(String(await stack.command('INFO', 'memory')))?.[1]);
    await stack.command('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 2)));
    const pressed = await stack.driver.send(delivery('p25-new'));
    findings.expect('a new key under memory pressure', pressed.status, { is: 503 });
    await stack.command('CONFIG', 'SET', 'maxmemory', '0');
    const known = await stack.driver.send(delivery('p25-0'));
    findings.expect('a known key afterwards is known', known.duplicate ? 1 : 0, { is: 1 });
    await stack.driver.drive([delivery('p25-new')], { ratePerSecond: 1 });
    await settleAccounts(stack, findings);
  },
};

/** How long each idempotency key is still kept, in milliseconds. */
async function keyTimes(command: (...args: string[]) => Promise<unknown>): Promise<number[]> {
  const names = (await command('KEYS', '{cc}:key:*')) as string[];
  return (await Promise.all(names.map((name) => command('PTTL', name)))) as number[];
}
