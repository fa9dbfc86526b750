import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import { Findings } from '../finding.ts';
import type { Proof, Scene } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { ReplicatedRedis } from '../stack/replicated-redis.ts';
import { gatesWhen } from './gate-watch.ts';

const RATE = 50;
const SIZES = {
  pr: { confirmed: { crash: 1, partition: 1 }, plain: { crash: 1, partition: 1 } },
  nightly: { confirmed: { crash: 10, partition: 10 }, plain: { crash: 3, partition: 3 } },
};
const LOAD_S = { crash: 5, partition: 15 };
const PARTITION_MS = 12_000;
/** Every second job is done that much later: what was accepted by a master alone and done at once would not be missed. */
const LATER_MS = 6_000;

type Fault = 'crash' | 'partition';

/** What one failover has cost. */
interface Toll {
  accepted: number;
  lost: number;
  /** Requests of which two jobs were done: the first was forgotten, and its sender was told to repeat it. */
  twice: number;
  /** When the side that was cut off accepted something for the last time. */
  lastAcceptMs: number;
}

/** A replica is promoted: its master has died, or is cut off from it. */
export const failover: Proof = {
  id: 'P13',
  title: 'The bound of a failover is stated',
  tier: 'nightly',
  target:
    'REDIS_WAIT_REPLICAS=1: crash of the master loses nothing, the side that is cut off accepts nothing after 10 s, all goes on without a restart; any other loss is counted, as asynchronous replication cannot promise 0',
  run: async ({ tier, start, findings, say }) => {
    const rounds = SIZES[tier];
    const confirmed = await failovers({ start, say }, '1', rounds.confirmed, findings);
    for (const { what, value, bound, unit } of confirmed.findings.broken) findings.expect(what, value, bound, unit);
    const { crash, partition } = confirmed;
    findings.figures.n = crash.accepted + partition.accepted;
    findings.figures.kills = rounds.confirmed.crash;
    findings.figures.lost = crash.lost + partition.lost;
    findings.expect('crash: lost', crash.lost, { is: 0 });
    findings.expect('partition: lost', partition.lost, { is: 0 });
    findings.expect('cut off: last accept after', partition.lastAcceptMs, { atMost: 10_000 }, 'ms');
    findings.notes.push(
      `${crash.twice + partition.twice} requests were forgotten unconfirmed and done again when they were repeated`,
    );
    const plain = await failovers({ start, say }, '0', rounds.plain, findings);
    const told = (fault: Fault) =>
      `${plain[fault].lost} of ${plain[fault].accepted} in ${rounds.plain[fault]} ${fault}(s)`;
    findings.notes.push(
      `without REDIS_WAIT_REPLICAS were lost: ${told('crash')} with the replica 300 ms behind, ${told('partition')}`,
    );
    findings.expect('without it, cut off: last accept after', plain.partition.lastAcceptMs, { atMost: 10_000 }, 'ms');
  },
};

/** As many failovers as are wanted, one after the other, and what each kind of them has cost. */
async function failovers(
  { start, say }: Pick<Scene, 'start' | 'say'>,
  waitReplicas: string,
  rounds: Readonly<Record<Fault, number>>,
  shown: Findings,
) {
  const toll = (): Toll => ({ accepted: 0, lost: 0, twice: 0, lastAcceptMs: 0 });
  const all = { crash: toll(), partition: toll(), findings: new Findings() };
  const redis = await ReplicatedRedis.start();
  let stack: ProvingStack | undefined;
  try {
    const cutOff = { REDIS_URL: redis.nameCutOff.url };
    const env = { REDIS_WAIT_REPLICAS: waitReplicas };
    stack = await start({ redisUrl: redis.name.url, env, envOf: { 'api-1': cutOff, 'worker-1': cutOff } });
    const faults = (['crash', 'partition'] as const).flatMap((fault) => Array<Fault>(rounds[fault]).fill(fault));
    for (const [i, fault] of faults.entries()) {
      const found = await failOver(stack, redis, fault, `p13-${waitReplicas}-${i}`, all.findings);
      const sum = all[fault];
      sum.accepted += found.accepted;
      sum.lost += found.lost;
      sum.twice += found.twice;
      sum.lastAcceptMs = Math.max(sum.lastAcceptMs, found.lastAcceptMs);
      shown.recoveriesMs.push(found.recoveredMs);
      say(`P13: ${fault} with REDIS_WAIT_REPLICAS=${waitReplicas}: ${JSON.stringify(found)}`);
    }
    const ended = [...stack.apis, ...stack.workers].reduce((sum, { crashes }) => sum + crashes, 0);
    all.findings.expect('processes that ended', ended, { is: 0 });
    return all;
  } finally {
    await stack?.stop();
    await redis.stop();
  }
}

async function failOver(stack: ProvingStack, redis: ReplicatedRedis, fault: Fault, name: string, findings: Findings) {
  const load = Array.from({ length: RATE * LOAD_S[fault] }, (_, i) => {
    const { key, body } = delivery(`${name}-${i}`);
    return { key, body: { ...body, delayMs: i % 2 === 0 ? 0 : LATER_MS } };
  });
  const driving = stack.driver.drive(load, { ratePerSecond: RATE, withinMs: 180_000 });
  await delay(1_000);
  const beganAt = Date.now();
  await redis[fault]();
  if (fault === 'partition') await delay(Math.max(0, beganAt + PARTITION_MS - Date.now()));
  const mendedAt = Date.now();
  await redis.mend();
  const backAt = Date.now();
  // All slots, and those of both sides.
  const waiting = Array.from({ length: stack.slots * 2 }, (_, i) => gatedJob(`${name}-gated-${i}`));
  await stack.driver.drive(waiting, { ratePerSecond: 200 });
  await gatesWhen(stack, (gates) => gates.filter(({ gone }) => !gone).length >= stack.slots, 60_000);
  const recoveredMs = Date.now() - backAt;
  findings.expect('all slots worked after', recoveredMs, { atMost: 15_000 }, 'ms');
  const opening = setInterval(() => void openGates(stack).catch(() => undefined), 200);
  try {
    await driving;
    await stack.drained(120_000);
  } finally {
    clearInterval(opening);
  }

  const cutOff = stack.apis[0]?.url;
  const there = stack.driver.answers.filter(
    ({ api, endedAt }) => api === cutOff && endedAt > beganAt && endedAt < mendedAt,
  );
  const accepts = there.filter(({ status }) => status === 202).map(({ endedAt }) => endedAt - beganAt);
  const own = new Findings();
  const { lost, ghosts, duplicateEffects, dividedKeys } = await settleAccounts(stack, own);
  findings.expect('requests that hung', there.filter(({ status }) => status === 0).length, { is: 0 });
  findings.expect('ghosts', ghosts.length, { is: 0 });
  findings.expect('duplicate effects of a job', duplicateEffects.length, { is: 0 });
  const books = ['jobs missing in the books', 'faults of the audit'];
  for (const { what, value, bound } of own.expectations) if (books.includes(what)) findings.expect(what, value, bound);
  const accepted = stack.ledger.acked;
  stack.driver.forget();
  stack.ledger.forget();
  await stack.sink.forget();
  const lastAcceptMs = Math.max(0, ...accepts);
  return { accepted, lost: lost.length, twice: dividedKeys.length, lastAcceptMs, recoveredMs };
}

async function openGates(stack: ProvingStack): Promise<void> {
  await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));
}
