import { eventually } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type SendAnswer, type Sending } from '../driver/sending.ts';
import { shuffled } from '../faults/random.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

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

    const ids = new Map(stack.ledger.entries.map(({ key, jobIds }) => [key, [...jobIds][0]]));
    const others: number[] = [];
    for (const key of ids.keys())
      others.push((await stack.driver.send(delivery(key, { destination: 'other' }))).status);
    findings.expect('the same key with another body, not 422', others.filter((it) => it !== 422).length, { is: 0 });
    const times = (await keyTimes(stack.command.bind(stack))).map((ms) => KEPT_MS - ms);
    findings.expect('keys kept for less than 96 h', times.filter((short) => short > 600_000).length, { is: 0 });
    findings.expect('keys kept', times.length, { is: keys });

    // Half of what is in use: not a single write is taken.
    const used = Number(/used_memory:(\d+)/.exec(String(await stack.command('INFO', 'memory')))?.[1]);
    await stack.command('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 2)));
    const pressed: SendAnswer[] = [await stack.driver.send(delivery('p25-new'))];
    for (const key of ids.keys()) pressed.push(await stack.driver.send(delivery(key)));
    const refused = pressed.filter(({ status, retryAfter }) => status === 503 && retryAfter !== undefined);
    findings.expect('a new key under memory pressure', pressed[0]?.status ?? 0, { is: 503 });
    // A known one may be answered from what is there, and is else refused like a new one; it never makes a second job.
    const again = pressed.filter(({ key, jobIds }) => jobIds.length > 0 && jobIds[0] === ids.get(key));
    const odd = pressed.length - refused.length - again.length;
    findings.expect('keys under memory pressure neither refused nor known', odd, { is: 0 });
    await stack.command('CONFIG', 'SET', 'maxmemory', '0');
    const after: SendAnswer[] = [];
    for (const key of ids.keys()) after.push(await untilAccepted(stack, delivery(key)));
    const forgotten = after.filter(({ key, duplicate, jobIds }) => !duplicate || jobIds[0] !== ids.get(key));
    findings.expect('keys forgotten under memory pressure', forgotten.length, { is: 0 });
    await stack.driver.drive([delivery('p25-new')], { ratePerSecond: 1 });
    await settleAccounts(stack, findings);
  },
};

/** APIs look at the memory of Redis each half second only. */
function untilAccepted(stack: ProvingStack, sending: Sending): Promise<SendAnswer> {
  return eventually(
    async () => {
      const answer = await stack.driver.send(sending);
      if (answer.status !== 202) throw new Error(`${sending.key} is still answered ${answer.status}`);
      return answer;
    },
    { deadlineMs: 10_000 },
  );
}

/** How long each idempotency key is still kept, in milliseconds. */
async function keyTimes(command: (...args: string[]) => Promise<unknown>): Promise<number[]> {
  const names = (await command('KEYS', '{cc}:key:*')) as string[];
  return (await Promise.all(names.map((name) => command('PTTL', name)))) as number[];
}
