import type { DeadLetter } from '@coordinator/tasks';
import { REPOSITORY } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import type { Proof } from '../proof.ts';
import type { SinkCall } from '../sink/effect-ledger.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { QUEUE } from '../stack/stack-options.ts';

const JOBS = { pr: 300, nightly: 3_000 };
const DOOMED_EVERY = 100;
const REDIS_DOWN_MS = 300;
const RATE = { ratePerSecond: 100 };
/** Refuses some of the deliveries for good, until somebody mends it. */
const REFUSING = 'refusing';
/** Small, so that there are several. */
const PAGE = 2;

/** One job in a hundred fails for good; workers, an API and Redis are killed meanwhile. Then its cause is mended, and an operator replays them. */
export const deadLetters: Proof = {
  id: 'P21',
  title: 'Dead letters are never lost',
  tier: 'nightly',
  target:
    'every job that failed for good is listed with its error and attempts; a replay, of one or by filter, is one new run, under load as well',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    await stack.sink.behave(REFUSING, { kind: 'status', status: 422 });
    const doomed = { destination: REFUSING };
    const all = Array.from({ length: JOBS[tier] }, (_, i) =>
      delivery(`p21-${i}`, i % DOOMED_EVERY === 0 ? doomed : {}),
    );
    const driving = stack.driver.drive(all, RATE);
    await stack.kill('worker', 0);
    await stack.kill('worker', 1);
    await stack.kill('api', 0);
    await stack.kill('redis', 0, REDIS_DOWN_MS);
    await driving;
    await stack.drained();

    const wanted = JOBS[tier] / DOOMED_EVERY;
    const dead = await listed(stack);
    const callsBefore = await callsOf(stack, dead);
    findings.expect('dead letters listed', new Set(dead.map(({ jobId }) => jobId)).size, { is: wanted });
    const silent = dead.filter(({ error }) => error?.code !== 'COORD_DOWNSTREAM_REFUSED');
    findings.expect('dead letters without their error', silent.length, { is: 0 });
    const short = dead.filter(({ jobId, attempt }) => attempt !== callsBefore.get(jobId)?.at(-1)?.attempt);
    findings.expect('dead letters without all their attempts', short.length, { is: 0 });

    await stack.sink.behave(REFUSING, { kind: 'ok' });
    const load = stack.driver.drive(
      Array.from({ length: JOBS[tier] }, (_, i) => delivery(`p21-load-${i}`)),
      RATE,
    );
    await replayAll(stack, dead, findings);
    await load;
    await stack.drained();
    const calls = await callsOf(stack, dead);
    const runs = dead.map(({ jobId }) => (calls.get(jobId)?.length ?? 0) - (callsBefore.get(jobId)?.length ?? 0));
    findings.expect('replays that were not one new run', runs.filter((count) => count !== 1).length, { is: 0 });
    const states = await stack.fields([...calls.keys()], 'state');
    const done = [...states.values()].filter((state) => state === 'completed');
    findings.expect('replayed jobs that are done', done.length, { is: wanted });
    await settleAccounts(stack, findings);
  },
};

async function listed({ backend }: ProvingStack): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  let page = await backend.deadLetters({ queues: [QUEUE], limit: PAGE });
  for (; page.next; page = await backend.deadLetters({ queues: [QUEUE], limit: PAGE, after: page.next })) {
    found.push(...page.items);
  }
  return [...found, ...page.items];
}

/** One of them twice at once, and the others as an operator does, by filter, twice as well. */
async function replayAll(stack: ProvingStack, dead: readonly DeadLetter[], findings: Findings): Promise<void> {
  const [one] = dead;
  if (!one) return;
  const replay = async (api: number) => {
    const body = { why: 'it is mended' };
    const answer = await stack.askAdmin(`/dead-letters/${one.jobId}/replay`, { api, body });
    return JSON.parse(answer) as { readonly before?: string };
  };
  const both = await Promise.all([replay(0), replay(1)]);
  const taken = both.filter(({ before }) => before === 'dead').length;
  findings.expect('of two replays of one job, those that took effect', taken, { is: 1 });
  const filter = ['--queue', QUEUE, '--task', 'prove.deliver', '--outcome', 'permanent', '--why', 'it is mended'];
  const codes = await Promise.all([runReplay(stack, filter), runReplay(stack, filter)]);
  findings.expect('replays by filter that could not be done', codes.filter((code) => code > 1).length, { is: 0 });
  const { items } = JSON.parse(await stack.askAdmin('/audit-log?limit=200')) as { items: { object: string }[] };
  const audited = dead.map(({ jobId }) => items.filter(({ object }) => object === `job:${jobId}`).length);
  findings.expect('replays that the audit log does not hold once', audited.filter((times) => times !== 1).length, {
    is: 0,
  });
}

/** `npm run replay`; returns its exit code. */
function runReplay(stack: ProvingStack, args: readonly string[]): Promise<number> {
  const env = stack.operatorEnv;
  const main = join(REPOSITORY, 'tools', 'dist', 'replay.js');
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env }, () => resolve(child.exitCode ?? 2));
  });
}

/** What the sink was asked, by job, in its order. */
async function callsOf(stack: ProvingStack, dead: readonly DeadLetter[]): Promise<Map<string, SinkCall[]>> {
  const calls = new Map<string, SinkCall[]>(dead.map(({ jobId }) => [jobId, []]));
  for (const call of await stack.sink.calls()) calls.get(call.jobId)?.push(call);
  return calls;
}
