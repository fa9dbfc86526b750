import { eventually } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { gatesWhen } from './gate-watch.ts';

/** By night it is that of a deployment. */
const GRACE_MS = { pr: 3_000, nightly: 25_000 };
/** Jobs that are shorter than any grace end so long after the SIGTERM, in the worker that has them. */
const SHORTER_MS = 400;
/** One stop in so many has jobs that are longer than its grace, too, and takes all of it. */
const LONGER_EVERY = { pr: 1, nightly: 4 };
/** Of each kind. */
const HELD = 4;
/** How long those who heed /readyz may take to do so, which SHUTDOWN_DELAY_MS is there for. */
const PROBE_MS = 500;
const DELAY_MS = 1_000;
const RATE = 30;
const STOPS = { pr: { worker: 4, api: 2 }, nightly: { worker: 40, api: 20 } };
/** What a job of a moment may wait at most: one that a stopping worker took with it waits longer. */
const LONGEST_WAIT_MS = 1_500;

/** Processes are stopped over and over, as at every release. */
export const gracefulStop: Proof = {
  id: 'P22',
  title: 'A graceful stop loses nothing',
  tier: 'nightly',
  target:
    'SIGTERM under load: no reset and no 5xx to those who heed /readyz, no job left behind, unfinished ones go on elsewhere within 1 s, exit 0 within the grace',
  run: async ({ tier, start, findings }) => {
    const graceMs = GRACE_MS[tier];
    // The lease is long: what was left behind would show.
    const env = { SHUTDOWN_GRACE_MS: String(graceMs), SHUTDOWN_DELAY_MS: String(DELAY_MS) };
    const stack = await start({ leaseMs: 30_000, env });
    const stopping = { over: false };
    const load = driveWhile(stack, () => !stopping.over);
    load.catch(() => undefined);

    const goneOnMs: number[] = [];
    const workers: Exit[] = [];
    const apis: Exit[] = [];
    let cutShort = 0;
    try {
      for (let i = 0; i < STOPS[tier].worker; i += 1) {
        const longer = i % LONGER_EVERY[tier] === 0 ? HELD : 0;
        const stop = await stopWorker(stack, i % stack.workers.length, `p22-${i}`, longer);
        workers.push(stop.exit);
        goneOnMs.push(...stop.tookOverMs);
        cutShort += stop.cutShort;
      }
      for (let i = 0; i < STOPS[tier].api; i += 1) apis.push(await stopApi(stack, i % stack.apis.length));
    } finally {
      stopping.over = true;
    }
    await load;

    const exits = [...workers, ...apis];
    findings.figures.n = exits.length;
    findings.recoveriesMs.push(...goneOnMs);
    const failed = stack.driver.answers.filter(({ status }) => status === 0 || status >= 500);
    findings.expect('resets and 5xx', failed.length, { is: 0 });
    findings.expect('exits other than 0', exits.filter(({ code }) => code !== 0).length, { is: 0 });
    const longest = (all: readonly Exit[]) => Math.round(Math.max(...all.map(({ tookMs }) => tookMs)));
    findings.expect('longest stop of a worker', longest(workers), { atMost: graceMs }, 'ms');
    // It goes on for its delay before it begins to stop.
    findings.expect('longest stop of an API', longest(apis), { atMost: DELAY_MS + graceMs }, 'ms');
    findings.expect('jobs shorter than the grace that did not end in it', cutShort, { is: 0 });
    findings.expect('unfinished jobs went on elsewhere by p99', percentile(goneOnMs, 0.99), { atMost: 1_000 }, 'ms');
    await settleAccounts(stack, findings);
    const accepted = new Map(stack.driver.answers.map(({ key, endedAt }) => [key, endedAt]));
    const waits = (await stack.sink.effects()).map(({ note, at }) => at - (accepted.get(note) ?? at));
    findings.expect('longest wait of a job', Math.max(...waits), { atMost: LONGEST_WAIT_MS }, 'ms');
    findings.notes.push(`grace ${graceMs / 1_000} s`);
    findings.expect('jobs taken back by their lease', stack.log.matching(/^took back a job/).length, { is: 0 });
  },
};

interface Exit {
  readonly code: number | null;
  readonly tookMs: number;
}

async function driveWhile(stack: ProvingStack, wanted: () => boolean): Promise<void> {
  for (let second = 0; wanted(); second += 1) {
    const sendings = Array.from({ length: RATE }, (_, i) => delivery(`p22-load-${second}-${i}`));
    await stack.driver.drive(sendings, { ratePerSecond: RATE });
  }
}

/** Stops a worker that holds jobs which end within its grace, and so many that do not. */
async function stopWorker(stack: ProvingStack, index: number, name: string, longer: number) {
  const worker = stack.workers[index];
  if (!worker) throw new Error(`There is no worker ${index}`);
  const shortly = (key: string) => key.startsWith(`${name}-short`);
  const sendings = [
    ...Array.from({ length: HELD }, (_, i) => gatedJob(`${name}-short-${i}`)),
    ...Array.from({ length: longer }, (_, i) => gatedJob(`${name}-long-${i}`)),
  ];
  await stack.driver.drive(sendings, { ratePerSecond: 200 });
  const held = await gatesWhen(stack, (gates) => gates.filter(({ gone }) => !gone).length === sendings.length);
  const { pid } = worker;
  const mine = held.filter((gate) => gate.pid === pid && !shortly(gate.note));
  const ended = worker.terminate();
  await delay(SHORTER_MS);
  await stack.sink.open(held.filter(({ note }) => shortly(note)).map(({ gate }) => gate));
  const exit = await ended;
  const endedAt = Date.now();
  const shortIds = held.filter((gate) => gate.pid === pid && shortly(gate.note)).map(({ jobId }) => jobId);
  const states = await stack.fields(shortIds, 'state');
  const cutShort = [...states.values()].filter((state) => state !== 'completed').length;
  const moved = await gatesWhen(stack, (gates) =>
    mine.every(({ jobId }) => gates.some((gate) => gate.jobId === jobId && gate.pid !== pid)),
  );
  const tookOverMs = moved
    .filter((gate) => gate.pid !== pid && mine.some(({ jobId }) => jobId === gate.jobId))
    .map(({ at }) => Math.max(0, at - endedAt));
  worker.startAgain();
  await worker.ready();
  await stack.sink.open((await stack.sink.gates()).map(({ gate }) => gate));
  return { exit, tookOverMs, cutShort };
}

/** Stops an API as a load balancer sees it: nothing is sent to it once it has been seen to be unready, a probe later. */
async function stopApi(stack: ProvingStack, index: number) {
  const api = stack.apis[index];
  if (!api) throw new Error(`There is no API ${index}`);
  const ended = api.terminate();
  await eventually(async () => {
    const { status } = await fetch(`${api.url}/readyz`, { signal: AbortSignal.timeout(1_000) });
    if (status !== 503) throw new Error(`/readyz of a stopping API answers ${status}`);
  });
  await delay(PROBE_MS);
  stack.driver.avoid(api.url);
  const exit = await ended;
  api.startAgain();
  await api.ready();
  stack.driver.admit(api.url);
  return exit;
}
