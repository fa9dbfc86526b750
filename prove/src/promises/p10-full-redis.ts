import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const MAX_MEMORY = 64 * 1_024 * 1_024;
const PADDING = 'x'.repeat(30_000);
const OVERLOAD_S = { pr: 30, nightly: 300 };
const ANSWER_MS = 200;

/** Twice as much comes in as can be done, until Redis is full. */
export const fullRedis: Proof = {
  id: 'P10',
  title: 'A full Redis drains itself',
  tier: 'nightly',
  target:
    'admission stops at 80 % of maxmemory (503 COORD_QUEUE_FULL), workers never stop, the backlog reaches 0 without an operator, lost 0',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ redisArgs: ['--maxmemory', String(MAX_MEMORY)] });
    await stack.sink.behave('main', { kind: 'ok', delayMs: ANSWER_MS });
    const ratePerSecond = (2 * stack.slots * 1_000) / ANSWER_MS;
    const sendings = Array.from({ length: OVERLOAD_S[tier] * ratePerSecond }, (_, i) => {
      const { key } = delivery(`p10-${i}`);
      return { key, body: { task: 'deliver', payload: { note: key, destination: 'main', padding: PADDING } } } as const;
    });
    let most = 0;
    let stalls = 0;
    let before = 0;
    const watch = setInterval(() => {
      Promise.all([stack.command('INFO', 'memory'), stack.books()]).then(
        ([memory, { completed }]) => {
          most = Math.max(most, Number(/used_memory:(\d+)/.exec(String(memory))?.[1]));
          if (completed === before) stalls += 1;
          before = completed;
        },
        () => undefined,
      );
    }, 2_000);
    try {
      await stack.driver.drive(sendings, { ratePerSecond, insist: false });
      findings.expect('Redis was filled to', Math.round((100 * most) / MAX_MEMORY), { atMost: 90 }, '%');
      findings.expect('times at which no job was done for 2 s', stalls, { atMost: 1 });
      const full = stack.driver.answers.filter(({ code }) => code === 'COORD_QUEUE_FULL');
      findings.expect('answers COORD_QUEUE_FULL', full.length, { atLeast: 1 });
      const other = stack.driver.answers.filter(({ status, code }) => status !== 202 && code !== 'COORD_QUEUE_FULL');
      findings.expect('other refusals', other.length, { is: 0 });
      await settleAccounts(stack, findings, 180_000);
    } finally {
      clearInterval(watch);
    }
  },
};
