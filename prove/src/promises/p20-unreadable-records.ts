import { eventually } from '@coordinator/task-testing';
import { delivery, gatedJob, type Sending } from '../driver/sending.ts';
import { junk, placesIn, type Damage } from '../faults/key-damage.ts';
import { keyKinds, kindOf } from '../faults/key-kinds.ts';
import type { Findings } from '../finding.ts';
import type { Proof, Scene } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { QUEUE, QUEUE_ASIDE } from '../stack/stack-options.ts';
import { damageAside } from './p20-damaged-indexes.ts';
import { gatesWhen } from './gate-watch.ts';

const HEALTHY_JOBS = 20;
/** What processes may log while much is damaged: more is a loop. */
const LINES_PER_SECOND = 20;

/** Fields of a waiting job's record, each of which is overwritten in a record of its own. */
const FIELDS = [
  ...['envelope', 'payload', 'state', 'attempt', 'createdAt', 'dueAt', 'crashes', 'crashed', 'step:deliver'],
  ...['attempt:1', 'queue', 'lane', 'key', 'firstStartedAt', 'replayedAt', 'outcome', 'error', 'token', 'settledBy'],
  ...['suspect', 'cancel', 'erase', 'startedAt', 'finishedAt', 'erasedAt', 'a field that nobody knows'],
];
/** Without these a job cannot be run. */
const VITAL = new Set(['envelope', 'payload', 'state']);
/** That they are there says what is to become of the job. */
const ORDERS = new Set(['cancel', 'erase']);
/** The whole record, in place of which stands something else. */
const RECORDS = ['a string', 'a list'] as const;

/** Redis holds bytes that none of our programs has written. */
export const unreadableRecords: Proof = {
  id: 'P20',
  title: 'Unreadable records never crash or loop',
  tier: 'pr',
  target:
    'random bytes, and keys of another type, in place of every kind of key: no process exits, jobs of other queues and keys go on, what cannot be read becomes a dead letter with at most 1 attempt, and what is damaged is named and mended by the audit',
  run: async (scene) => {
    const { findings } = scene;
    const stack = await scene.start({ env: { WORKER_QUEUES: `${QUEUE},${QUEUE_ASIDE}` } });
    const pids = () => [...stack.apis, ...stack.workers].map(({ pid }) => pid).join();
    const pidsBefore = pids();
    const startedAt = performance.now();

    const records = await damageRecords(stack, scene);
    const damaged = new Set(['job:<id>', 'unreadable:<place>']);
    for (const how of ['bytes', 'type'] satisfies Damage[]) {
      const kinds = await damageAside(stack, how, scene, () => goesOn(stack, `p20-beside-${how}`));
      for (const kind of kinds) damaged.add(kind);
    }

    findings.figures.n = records + 2 * damaged.size;
    await settleKinds(stack, damaged, findings);
    const seconds = (performance.now() - startedAt) / 1_000;
    const perSecond = stack.log.all.length / seconds / (stack.apis.length + stack.workers.length);
    findings.expect('lines that a process has logged per second', perSecond, { atMost: LINES_PER_SECOND });
    findings.expect('processes that exited', pids() === pidsBefore ? 0 : 1, { is: 0 });
  },
};

/** Damages records of waiting jobs, one each; returns how many. */
async function damageRecords(stack: ProvingStack, { random, findings }: Scene): Promise<number> {
  // All slots are taken, so that what is accepted now waits until its record has been damaged.
  const blockers = Array.from({ length: stack.slots }, (_, i) => gatedJob(`p20-blocker-${i}`));
  await stack.driver.drive(blockers, { ratePerSecond: 200 });
  const gates = await gatesWhen(stack, (all) => all.length === stack.slots);
  const damaged = new Map<string, string>();
  for (const what of [...FIELDS, ...RECORDS]) {
    const sending = delivery(`p20-${what.replaceAll(' ', '-')}`);
    await stack.driver.drive([sending], { ratePerSecond: 1 });
    const [jobId = ''] = stack.ledger.entries.find(({ key }) => key === sending.key)?.jobIds ?? [];
    const key = `{cc}:job:${jobId}`;
    if (what === 'a string') await stack.command('SET', key, junk(random));
    else if (what === 'a list') await stack.command('EVAL', AS_LIST, '1', key, junk(random));
    else await stack.command('HSET', key, what, junk(random));
    damaged.set(what, jobId);
  }
  // Ids without a record.
  await stack.command('RPUSH', `{cc}:q:${QUEUE}:waiting`, junk(random));
  await stack.command('LPUSH', `{cc}:q:${QUEUE}:active`, junk(random));
  await stack.sink.open(gates.map(({ gate }) => gate));
  await goesOn(stack, 'p20-healthy');
  for (const [what, jobId] of damaged) await judge(stack, findings, what, jobId);
  return damaged.size;
}

const AS_LIST = `redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], ARGV[1])`;

/** Jobs that nothing damaged belongs to are done: nothing loops in the way. */
async function goesOn(stack: ProvingStack, name: string): Promise<void> {
  const healthy: Sending[] = Array.from({ length: HEALTHY_JOBS }, (_, i) =>
    delivery(`${name}-${i}`, i % 4 === 0 ? { lane: `${name}-lane`, seq: i } : {}),
  );
  await stack.driver.drive(healthy, { ratePerSecond: 50 });
  await eventually(
    async () => {
      const notes = new Set((await stack.sink.effects()).map(({ note }) => note));
      const left = healthy.filter(({ key }) => !notes.has(key));
      if (left.length > 0) throw new Error(`${left.length} of ${HEALTHY_JOBS} healthy jobs (${name}) are not done`);
    },
    { deadlineMs: 60_000 },
  );
}

/** A job with a damaged field is done, or a dead letter `unreadable` after one attempt at most; it is not forgotten. */
async function judge(stack: ProvingStack, findings: Findings, what: string, jobId: string): Promise<void> {
  const read = async (field: string) => (await stack.fields([jobId], field)).get(jobId);
  const ended = async () => {
    const [state, reason, attempt] = [await read('state'), await read('outcome'), await read('attempt')];
    if (state === 'dead' && reason === 'unreadable' && Number(attempt) <= 1) return true;
    if (state === 'cancelled' && ORDERS.has(what)) return true;
    if (state === 'completed' && !VITAL.has(what) && what !== 'a string' && what !== 'a list') return true;
    throw new Error(`${state} ${reason} ${attempt}`);
  };
  const good = await eventually(ended, { deadlineMs: 15_000 }).catch(() => false);
  findings.expect(`${what}: jobs in no good end`, good ? 0 : 1, { is: 0 });
}

/** That nothing was left out: neither a kind of key, nor channels. */
async function settleKinds(stack: ProvingStack, damaged: ReadonlySet<string>, findings: Findings): Promise<void> {
  const left = keyKinds.filter(({ name }) => !damaged.has(name));
  findings.expect('kinds of keys that were not damaged', left.length, { is: 0 });
  const strange = (await placesIn((...args) => stack.command(...args))).filter((place) => !kindOf(place));
  if (strange.length > 0) findings.notes.push(`keys of no known kind: ${strange.slice(0, 10).join(', ')}`);
  findings.expect('keys of a kind that nobody damages', strange.length, { is: 0 });
  const channels = (await stack.command('PUBSUB', 'CHANNELS')) as string[];
  const patterns = (await stack.command('PUBSUB', 'NUMPAT')) as number;
  findings.expect('channels that somebody listens on, and could be sent bytes on', channels.length + patterns, {
    is: 0,
  });
}
