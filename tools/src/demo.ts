import { setTimeout as delay } from 'node:timers/promises';
import type { RecordedSpan } from '@coordinator/task-testing';
import { SingleBar } from 'cli-progress';
import { drawSummary, drawTrace, slowestJob, summarize } from './demo-report.ts';
import {
  askSandbox,
  failCoursePlatform,
  jobsOf,
  sendOrder,
  sendStripeEvent,
  type AcceptedRequest,
  type DemoJob,
  type DemoTarget,
} from './demo-traffic.ts';
import { httpStatus } from './http-status.ts';

const USAGE = `Usage: npm run demo

Sends 50 orders and 12 Stripe events through a running stack (npm start), makes the course platform fail for ten
seconds in the middle, waits until everything is done, and shows what became of it.
Reads API_PORT 8080, SANDBOX_PORT 8090 and API_TOKENS, as npm start does.`;

const ORDERS = 50;
const EVENTS = 12;
const SEND_EVERY_MS = 200;
const OUTAGE_MS = 10_000;
const PATIENCE_MS = 120_000;

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return say(USAGE);
  const target = await findTarget();
  const run = Date.now().toString(36).toUpperCase();
  const accepted = await sendAll(target, run);
  const jobs = await waitForAll(target, accepted);
  const summary = summarize(accepted, jobs);
  say(`\nWhat became of it:\n${drawSummary(summary)}`);
  await showSlowest(target, jobs);
  if (summary.lost > 0 || summary.waiting > 0) process.exitCode = 1;
}

async function findTarget(): Promise<DemoTarget> {
  const { API_PORT = '8080', SANDBOX_PORT = '8090', API_TOKENS = 'shop=dev-token' } = process.env;
  const target = {
    api: `http://127.0.0.1:${API_PORT}`,
    sandbox: `http://127.0.0.1:${SANDBOX_PORT}`,
    token: API_TOKENS.split(',')[0]?.split('=').slice(1).join('=') ?? '',
  };
  for (const [name, url] of Object.entries({ API: target.api, sandbox: target.sandbox })) {
    if ((await httpStatus(`${url}/readyz`)) !== 200) {
      throw new Error(`No ${name} is ready at ${url}. Run npm start in another terminal first.`);
    }
  }
  return target;
}

async function sendAll(target: DemoTarget, run: string): Promise<AcceptedRequest[]> {
  const total = ORDERS + EVENTS;
  const outageAt = Math.floor(total / 3);
  const bar = progressBar('sending ');
  bar.start(total, 0, { note: '' });
  const sending: Promise<AcceptedRequest>[] = [];
  for (let i = 0; i < total; i++) {
    if (i === outageAt) await failCoursePlatform(target, OUTAGE_MS);
    sending.push(send(target, run, i));
    const failing = i >= outageAt && (i - outageAt) * SEND_EVERY_MS < OUTAGE_MS;
    bar.increment({ note: failing ? `the course platform fails for ${OUTAGE_MS / 1_000} s` : '' });
    await delay(SEND_EVERY_MS);
  }
  const accepted = await Promise.all(sending);
  bar.stop();
  return accepted;
}

/** Every fifth request is an event about an order that was sent before. */
function send(target: DemoTarget, run: string, i: number): Promise<AcceptedRequest> {
  const event = Math.floor(i / 5);
  if (i % 5 !== 4 || event >= EVENTS) return sendOrder(target, `DEMO-${run}-${i}`);
  const type = event % 3 === 2 ? 'charge.refunded' : 'payment_intent.succeeded';
  return sendStripeEvent(target, type, `DEMO-${run}-${i - 1}`);
}

async function waitForAll(target: DemoTarget, accepted: readonly AcceptedRequest[]): Promise<DemoJob[]> {
  const orderNumbers = [...new Set(accepted.map(({ orderNumber }) => orderNumber))];
  const bar = progressBar('working ');
  bar.start(accepted.length, 0, { note: '' });
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const jobs = (await Promise.all(orderNumbers.map((orderNumber) => jobsOf(target, orderNumber)))).flat();
    const { completed, dead, waiting } = summarize(accepted, jobs);
    bar.setTotal(jobs.length);
    bar.update(completed + dead, { note: waiting > 0 ? `${waiting} waiting for their next attempt` : '' });
    if (waiting === 0 || performance.now() > giveUpAt) {
      bar.stop();
      return jobs;
    }
    await delay(500);
  }
}

async function showSlowest(target: DemoTarget, jobs: readonly DemoJob[]): Promise<void> {
  const slowest = slowestJob(jobs);
  if (!slowest) return;
  const { traceId } = slowest;
  const trace = await wholeTrace(target, slowest);
  if (trace) say(`\nThe slowest trace, ${traceId}:\n${drawTrace(trace.spans)}\n`);
  else say(`\nThe slowest trace is ${traceId}; the sandbox has none of its spans: they are exported elsewhere.\n`);
}

/** Spans are exported in batches: waits until the last attempt of the job is among them. */
async function wholeTrace(target: DemoTarget, job: DemoJob): Promise<{ spans: RecordedSpan[] } | undefined> {
  for (const giveUpAt = performance.now() + 5_000; ; await delay(250)) {
    const trace = await askSandbox<{ spans: RecordedSpan[] }>(target, `/__traces/${job.traceId}`);
    const ended = trace?.spans.some(
      ({ attributes }) =>
        attributes['messaging.message.id'] === job.jobId && attributes['coordinator.outcome'] === job.outcome,
    );
    if (ended || performance.now() > giveUpAt) return trace;
  }
}

function progressBar(name: string): SingleBar {
  return new SingleBar({
    format: `${name} {bar} {value}/{total} {note}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    // Where nobody watches, one line when it ends is enough.
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
