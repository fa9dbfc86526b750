import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, gatedJob } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { TraceCollector } from '../stack/trace-collector.ts';
import { gatesWhen } from './gate-watch.ts';

const KILLS = { pr: 8, nightly: 20 };
const CONCURRENCY = 10;
const RATE = 25;
/** More than the jobs of a run. */
const TRACES = 20_000;
const LEASE_MS = 1_500;

/** Workers die over and over in the middle of calls whose effect has been had. */
export const duplicatesAreVisible: Proof = {
  id: 'P4',
  title: 'Duplicate starts are bounded and visible',
  tier: 'nightly',
  target:
    'duplicate starts at most kills × concurrency, each a higher attempt with a span link to what took its job back, in a metric and in the log; duplicate effects 0',
  run: async ({ tier, random, start, findings }) => {
    const kills = KILLS[tier];
    const collector = await TraceCollector.start(TRACES);
    try {
      const stack = await start({ leaseMs: LEASE_MS, concurrency: CONCURRENCY, env: collector.env });
      // The effect is had at once, its answer comes late: a worker killed in between has done it and does not know.
      await stack.sink.behave('main', { kind: 'ok', delayMs: 300 });
      const load = driveWhile(stack, () => stack.kills.worker < kills);
      for (let kill = 0; kill < kills; kill += 1) {
        // One that has not come up yet holds no jobs.
        await stack.workers[kill % 2]?.ready();
        await new Promise((wake) => setTimeout(wake, 1_500 + 1_000 * random()));
        await stack.kill('worker', kill % 2);
      }
      await load;
      // Jobs that met two kills run one at a time.
      const { duplicateStarts, repeatedCalls } = await settleAccounts(stack, findings, 180_000);
      findings.expect('duplicate starts', duplicateStarts, { atMost: kills * CONCURRENCY });
      findings.expect('calls repeated under their key', repeatedCalls, { atLeast: 1 });
      await everyRepetitionIsMarked(stack, collector, findings);
      // A worker that is killed right after it took jobs back has not said so.
      const told = new Set(stack.log.matching(/^took back a job/).map(({ jobId }) => jobId));
      findings.expect('jobs of which a log says that they were taken back', told.size, { atLeast: 1 });
      await theMetricCountsThem(stack, findings);
    } finally {
      collector.stop();
    }
  },
};

/** As much load as one worker can do alone, for as long as it is wanted. */
async function driveWhile(stack: ProvingStack, wanted: () => boolean): Promise<void> {
  for (let second = 0; wanted(); second += 1) {
    const sendings = Array.from({ length: RATE }, (_, i) => delivery(`p4-${second}-${i}`));
    await stack.driver.drive(sendings, { ratePerSecond: RATE });
  }
}

/** By its number at the service that is called, and by the link of its span. */
async function everyRepetitionIsMarked(stack: ProvingStack, collector: TraceCollector, findings: Findings) {
  const attempts = new Map<string, number>();
  const repeated: { readonly jobId: string; readonly attempt: number; readonly traceId: string }[] = [];
  let unmarked = 0;
  for (const { jobId, attempt, traceId = '' } of await stack.sink.calls()) {
    const before = attempts.get(jobId);
    if (before !== undefined && attempt <= before) unmarked += 1;
    if (before !== undefined) repeated.push({ jobId, attempt, traceId });
    attempts.set(jobId, attempt);
  }
  findings.expect('repeated calls that are no higher attempt', unmarked, { is: 0 });

  const spansOf = ({ traceId, attempt }: (typeof repeated)[number]) =>
    collector.trace(traceId).filter(({ attributes }) => attributes['coordinator.attempt'] === attempt);
  // An attempt that was killed as well has no span; of the one that ended it is on its way.
  const ended = repeated.filter(({ jobId, attempt }) => attempts.get(jobId) === attempt);
  await eventually(() => {
    if (ended.some((call) => spansOf(call).length === 0)) throw new Error('a span is still on its way');
  }).catch(() => undefined);
  const told = repeated.filter((call) => spansOf(call).length > 0);
  const unlinked = told.filter((call) => spansOf(call).some(({ links }) => links.length === 0));
  findings.expect('spans of repeated starts', told.length, { atLeast: 1 });
  findings.expect('of them, those without a link', unlinked.length, { is: 0 });
  const lost = ended.filter((call) => spansOf(call).length === 0).length;
  findings.notes.push(
    `${lost} spans of ${ended.length} repeated starts that ended were lost with a worker killed right after`,
  );
}

/** Exactly, when the one worker that takes jobs back lives on. */
async function theMetricCountsThem(stack: ProvingStack, findings: Findings): Promise<void> {
  await Promise.all(stack.workers.map((worker) => worker.ready()));
  const jobs = Array.from({ length: CONCURRENCY }, (_, i) => gatedJob(`p4-counted-${i}`));
  await stack.driver.drive(jobs, { ratePerSecond: 200 });
  const held = await gatesWhen(stack, (gates) => gates.length === jobs.length);
  const victim = stack.workers.findIndex(({ pid }) => held.some((gate) => gate.pid === pid));
  const { pid } = stack.workers[victim] ?? {};
  const orphans = held.filter((gate) => gate.pid === pid);
  const url = stack.workers[1 - victim]?.url;
  const before = await takenBack(url);
  await stack.kill('worker', victim, LEASE_MS + 2_000);
  await gatesWhen(stack, (gates) =>
    orphans.every(({ jobId }) => gates.some((gate) => gate.jobId === jobId && gate.attempt === 2)),
  );
  const counted = (await takenBack(url)) - before;
  findings.expect('jobs taken back from a last killed worker, by the metric', counted, { is: orphans.length });
  await stack.sink.open('all');
  await stack.drained();
}

async function takenBack(url: string | undefined): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.match(/^coordinator_jobs_taken_back_total\S* \d+/gm) ?? [];
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}
