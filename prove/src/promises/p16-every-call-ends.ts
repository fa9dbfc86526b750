import { eventually, type RecordedSpan } from '@coordinator/task-testing';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import type { SinkCall } from '../sink/effect-ledger.ts';
import { stoodStillMs, type Standstill } from '../stack/loop-watch.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { TraceCollector } from '../stack/trace-collector.ts';

const KINDS = ['hang', 'drip', 'huge-body', 'header-flood'] as const;
const CALL_MS = 1_500;
const SLACK_MS = 100;
const JOBS = 5;
const TRACES = 1_000;

/** Services that never come to an end. */
export const everyCallEnds: Proof = {
  id: 'P16',
  title: 'Every call ends',
  tier: 'pr',
  target:
    'calls that hang, drip, flood or never stop end within their deadline + 100 ms, by the clock of the worker and but for the time for which the machine did not run it; attempts of one job never overlap',
  run: async ({ start, findings }) => {
    const collector = await TraceCollector.start(TRACES);
    const dir = await mkdtemp(join(tmpdir(), 'coordinator-loop-'));
    const probe = join(dir, 'standstills');
    try {
      const stack = await start({
        workers: 1,
        concurrency: 30,
        env: { ...collector.env, PROVE_CALL_TIMEOUT_MS: String(CALL_MS) },
        envOf: {
          'worker-1': {
            NODE_OPTIONS: `--require ${join(__dirname, '..', 'stack', 'loop-probe.js')}`,
            LOOP_PROBE_FILE: probe,
          },
        },
      });
      for (const kind of KINDS) await stack.sink.behave(kind, { kind, count: JOBS });
      const sendings = KINDS.flatMap((kind) =>
        Array.from({ length: JOBS }, (_, i) => delivery(`p16-${kind}-${i}`, { destination: kind })),
      );
      await stack.driver.drive(sendings, { ratePerSecond: 100 });
      await settleAccounts(stack, findings, 90_000);

      const calls = await endedCalls(stack, collector);
      const pauses = await readPauses(probe);
      // A pause before the deadline delays nobody: the timer is set.
      const lateMs = calls.map(({ span: { startMs, durationMs } }) =>
        stoodStillMs(pauses, startMs + CALL_MS, startMs + durationMs),
      );
      for (const kind of KINDS) {
        const took = calls.flatMap(({ call, span }, i) =>
          call.destination === kind ? [Math.round(span.durationMs - (lateMs[i] ?? 0))] : [],
        );
        findings.expect(`${kind}: longest call`, Math.max(...took), { atMost: CALL_MS + SLACK_MS }, 'ms');
        findings.expect(`${kind}: calls`, took.length, { atLeast: JOBS });
      }
      const overlapping = calls.filter(({ call }) => call.overlaps).length;
      findings.expect('overlapping calls of one job', overlapping, { is: 0 });
      const longest = Math.round(Math.max(...calls.map(({ span }) => span.durationMs)));
      findings.notes.push(
        `the longest call took ${longest} ms with the time for which the worker was not run at its deadline, up to ${Math.round(Math.max(...lateMs))} ms`,
      );
    } finally {
      collector.stop();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** The calls that the sink saw, all of which its caller has left, each with the span of its caller. */
async function endedCalls(
  stack: ProvingStack,
  collector: TraceCollector,
): Promise<{ readonly call: SinkCall; readonly span: RecordedSpan }[]> {
  return eventually(async () => {
    const calls = await stack.sink.calls();
    return calls.map((call) => {
      if (call.endedAt === undefined) throw new Error('a call has not ended');
      const span = collector.trace(call.traceId ?? '').find(({ spanId }) => spanId === call.spanId);
      if (!span) throw new Error('the span of a call is still on its way');
      return { call, span };
    });
  });
}

/** When the worker wanted to run and was not run: what it computed meanwhile is its own doing. */
async function readPauses(file: string): Promise<{ readonly from: number; readonly to: number }[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { from, to, cpuMs } = JSON.parse(line) as Standstill;
    return { from: Math.min(to, from + cpuMs), to };
  });
}
