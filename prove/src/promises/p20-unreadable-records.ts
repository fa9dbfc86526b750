import { eventually } from '@coordinator/task-testing';
import { delivery, gatedJob } from '../driver/sending.ts';
import type { Random } from '../faults/random.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { QUEUE } from '../stack/stack-options.ts';
import { gatesWhen } from './gate-watch.ts';

const queueKey = (part: string) => `{cc}:q:${QUEUE}:${part}`;
const JUNK_BYTES = 40;
const HEALTHY_JOBS = 20;

/** Fields of a waiting job's record, each of which is overwritten in a record of its own. */
const FIELDS = [
  'envelope',
  'payload',
  'state',
  'attempt',
  'createdAt',
  'dueAt',
  'crashes',
  'crashed',
  'step:deliver',
  'attempt:1',
];
/** Without these a job can be run all the same. */
const HARMLESS = new Set(['attempt', 'createdAt', 'dueAt', 'crashes', 'crashed', 'attempt:1']);

/** Redis holds bytes that none of our programs has written. */
export const unreadableRecords: Proof = {
  id: 'P20',
  title: 'Unreadable records never crash or loop',
  tier: 'pr',
  target:
    'random bytes in records and indexes: no process exits, other jobs go on, what cannot be read becomes a dead letter with at most 1 attempt',
  run: async ({ random, start, findings }) => {
    const stack = await start();
    const pids = () => [...stack.apis, ...stack.workers].map(({ pid }) => pid).join();
    const pidsBefore = pids();

    // All slots are taken, so that what is accepted now waits until its record has been damaged.
    const blockers = Array.from({ length: stack.slots }, (_, i) => gatedJob(`p20-blocker-${i}`));
    await stack.driver.drive(blockers, { ratePerSecond: 200 });
    const gates = await gatesWhen(stack, (all) => all.length === stack.slots);
    const damaged = new Map<string, string>();
    for (const field of FIELDS) {
      const { jobIds } = await stack.driver.send(delivery(`p20-${field}`));
      await stack.command('HSET', `{cc}:job:${jobIds[0]}`, field, junk(random));
      damaged.set(field, jobIds[0] ?? '');
    }
    await plantJunkIds(stack, random);
    await stack.sink.open(gates.map(({ gate }) => gate));

    // What is done afterwards shows that nothing loops in the way.
    const healthy = Array.from({ length: HEALTHY_JOBS }, (_, i) => delivery(`p20-healthy-${i}`));
    await stack.driver.drive(healthy, { ratePerSecond: 50 });
    await eventually(async () => {
      const notes = new Set((await stack.sink.effects()).map(({ note }) => note));
      const left = healthy.filter(({ key }) => !notes.has(key));
      if (left.length > 0) throw new Error(`${left.length} of ${HEALTHY_JOBS} healthy jobs are not done`);
    });

    findings.figures.n = FIELDS.length;
    for (const [field, jobId] of damaged) await judge(stack, findings.expect.bind(findings), field, jobId);
    findings.expect('processes that exited', pids() === pidsBefore ? 0 : 1, { is: 0 });
  },
};

/** Ids without a record, in every index of the queue. */
async function plantJunkIds(stack: ProvingStack, random: Random): Promise<void> {
  await stack.command('RPUSH', queueKey('waiting'), junk(random));
  await stack.command('LPUSH', queueKey('active'), junk(random));
  for (const part of ['delayed', 'leases', 'parked', 'dead']) {
    await stack.command('ZADD', queueKey(part), '1', junk(random));
  }
  await stack.command('SET', queueKey('kept'), junk(random));
}

type Expect = (what: string, value: number, bound: { atMost: number } | { is: number }) => void;

/** A job with a damaged field is done, or a dead letter `unreadable`; it is not forgotten. */
async function judge(stack: ProvingStack, expect: Expect, field: string, jobId: string): Promise<void> {
  const ended = async () => {
    const state = (await stack.fields([jobId], 'state')).get(jobId);
    const reason = (await stack.fields([jobId], 'outcome')).get(jobId);
    if (state === 'dead' && reason === 'unreadable') return true;
    if (state === 'completed' && (HARMLESS.has(field) || field === 'step:deliver')) return true;
    throw new Error(`${state} ${reason}`);
  };
  const good = await eventually(ended, { deadlineMs: 5_000 }).catch(() => false);
  expect(`${field}: jobs in no good end`, good ? 0 : 1, { is: 0 });
}

function junk(random: Random): string {
  return String.fromCharCode(...Array.from({ length: JUNK_BYTES }, () => Math.floor(random() * 256)));
}
