import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const RATE = 20;
const WINDOW_S = { pr: 5, nightly: 20 };

/** Every fsync of Redis takes its time, and at last fails, in two ways. */
export const slowDisk: Proof = {
  id: 'P3',
  title: 'A 202 is not lost on a slow disk',
  tier: 'nightly',
  target:
    'fsync 50 ms: accept p99 at most 2 × fsync + 100 ms; 1 s: 503 within 1.2 s; fsync fails or Redis is killed in one: lost 0',
  needs: ['root', 'strace'],
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    const jobs = RATE * WINDOW_S[tier];
    const window = async (name: string, insist: boolean) => {
      const before = stack.driver.answers.length;
      const sendings = Array.from({ length: jobs }, (_, i) => delivery(`p3-${name}-${i}`));
      await stack.driver.drive(sendings, { ratePerSecond: RATE, insist });
      const answers = stack.driver.answers.slice(before);
      const took = answers.map(({ dueAt, endedAt }) => endedAt - dueAt);
      return { answers, p99: percentile(took, 0.99) };
    };

    let release = await slowDown(stack, 'delay_exit=50000');
    const slow = await window('50ms', false);
    await release();
    findings.expect('fsync 50 ms: accept p99', slow.p99, { atMost: 200 }, 'ms');

    release = await slowDown(stack, 'delay_exit=1000000');
    const slower = await window('1s', false);
    findings.expect('fsync 1 s: answered by p99', slower.p99, { atMost: 1_200 }, 'ms');
    const odd = slower.answers.filter(({ status, retryAfter }) => status !== 202 && !(status === 503 && retryAfter));
    findings.expect('fsync 1 s: answers that are no 202 and no 503 with Retry-After', odd.length, { is: 0 });
    await stack.kill('redis');
    await release();

    for (const error of ['EIO', 'ENOSPC']) {
      release = await slowDown(stack, `error=${error}`);
      await stack.driver.send(delivery(`p3-${error}`));
      // With `always`, Redis would rather end than answer for what it could not write.
      await Promise.race([stack.redis.exited, new Promise((wake) => setTimeout(wake, 5_000))]);
      await release();
      await stack.redis.kill();
      await stack.redis.restart();
    }
    const again = stack.ledger.entries.filter(({ jobIds }) => jobIds.size === 0).map(({ key }) => delivery(key));
    await stack.driver.drive(again, { ratePerSecond: 100 });
    await settleAccounts(stack, findings);
  },
};

/** Has strace tamper with the fsync of Redis; what it gives back ends that. */
async function slowDown(stack: ProvingStack, injection: string): Promise<() => Promise<void>> {
  const calls = 'fdatasync,fsync';
  const args = ['-f', '-p', String(stack.redis.pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:${injection}`];
  const tracer = spawn('strace', [...args, '-o', '/dev/null'], { stdio: ['ignore', 'ignore', 'pipe'] });
  // It says when it has attached.
  await once(tracer.stderr, 'data');
  return async () => {
    if (tracer.exitCode !== null || tracer.signalCode !== null) return;
    tracer.kill('SIGINT');
    await once(tracer, 'exit');
  };
}
