import { eventually, type RecordedSpan } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { playFaults } from '../faults/fault-player.ts';
import { faultSchedule } from '../faults/fault-schedule.ts';
import type { Proof } from '../proof.ts';
import type { SinkCall } from '../sink/effect-ledger.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { TraceCollector } from '../stack/trace-collector.ts';

const JOBS = { pr: 1_000, nightly: 20_000 };
const RATE = 100;
/** Spans and log lines leave a process within that time; what is younger dies with it. */
const LEAVES_WITHIN_MS = 2_000;

/** Jobs that are traced, while workers, APIs and Redis are killed. */
export const oneStory: Proof = {
  id: 'P31',
  title: 'Every job tells one story',
  tier: 'nightly',
  target:
    'request → job → attempt → call of every job are spans of one trace, joined as parent and child, but for spans that a killed process had not sent yet; an attempt after a killed one links to what tells of that; every log line carries the trace',
  run: async ({ tier, random, start, findings }) => {
    const collector = await TraceCollector.start(2 * JOBS[tier]);
    try {
      const stack = await start({ env: { ...collector.env, LOG_LEVEL: 'info' } });
      await stack.sink.behave('main', { kind: 'ok', delayMs: 100 });
      const sendings = Array.from({ length: JOBS[tier] }, (_, i) => delivery(`p31-${i}`));
      const kills = tier === 'pr' ? { worker: 2, api: 1, redis: 1 } : { worker: 10, api: 5, redis: 5 };
      const schedule = faultSchedule({ random, durationMs: (1_000 * JOBS[tier]) / RATE, kills });
      await Promise.all([stack.driver.drive(sendings, { ratePerSecond: RATE }), playFaults(stack, schedule)]);
      await settleAccounts(stack, findings);

      const parents = await parentsOf(stack);
      const traceOf = (jobId: string) => parents.get(jobId)?.traceId;
      const calls = await stack.sink.calls();
      const apart = calls.filter(({ jobId, traceId }) => traceId === undefined || traceId !== traceOf(jobId));
      findings.expect('calls outside the trace of their job', apart.length, { is: 0 });
      findings.expect('traces', new Set(calls.map(({ traceId }) => traceId)).size, { atLeast: JOBS[tier] });

      const accepted = await stack.fields(stack.ledger.jobIds, 'createdAt');
      const last = new Map(calls.map((call) => [call.jobId, call]));
      // Its spans, or those of its acceptance, may have died with a process.
      const bereaved = (call: SinkCall) => {
        const acceptedAt = Number(accepted.get(call.jobId));
        const { pid, endedAt = Infinity } = call;
        return stack.deaths.some(({ victim, pid: dead, at }) =>
          victim === 'worker'
            ? dead === pid && at - endedAt < LEAVES_WITHIN_MS
            : at >= acceptedAt - 1_000 && at - acceptedAt < LEAVES_WITHIN_MS,
        );
      };
      const incomplete = () =>
        [...last.values()].filter(
          (call) => !isWhole(collector.trace(call.traceId ?? ''), call, parents.get(call.jobId)),
        );
      // The last ones are on their way.
      await eventually(() => {
        if (!incomplete().every(bereaved)) throw new Error('a story is not whole yet');
      }).catch(() => undefined);
      const untold = incomplete();
      findings.expect('stories that lack a span', untold.filter((call) => !bereaved(call)).length, { is: 0 });
      findings.notes.push(`${untold.length} stories lack a span that a killed process had not sent`);

      const spans = [...last.values()].flatMap(({ traceId = '' }) => collector.trace(traceId));
      const again = spans.filter(({ attributes }) => Number(attributes['coordinator.attempt']) >= 2);
      findings.expect('attempts after the first', again.length, { atLeast: 1 });
      findings.expect(
        'of them, those that link to none before',
        again.filter(({ links }) => links.length === 0).length,
        {
          is: 0,
        },
      );

      const lines = stack.log.all.filter(({ jobId }) => jobId !== undefined && parents.has(jobId));
      findings.expect('log lines about jobs', lines.length, { atLeast: JOBS[tier] / 2 });
      const odd = lines.filter(({ jobId = '', trace_id: traceId }) => traceId !== traceOf(jobId));
      findings.expect('of them, those without the trace of their job', odd.length, { is: 0 });
      const told = new Set(lines.filter(({ msg }) => msg === 'attempt completed').map(({ jobId }) => jobId));
      const silent = [...last.values()].filter((call) => !told.has(call.jobId) && !bereaved(call));
      findings.expect('jobs whose end no log line tells', silent.length, { is: 0 });
    } finally {
      collector.stop();
    }
  },
};

type Place = Pick<RecordedSpan, 'traceId' | 'spanId'>;

/** The PRODUCER span of each job, as its envelope has it. */
async function parentsOf(stack: ProvingStack): Promise<Map<string, Place>> {
  const envelopes = await stack.fields(stack.ledger.jobIds, 'envelope');
  return new Map(
    Array.from(envelopes, ([jobId, envelope]) => {
      const [, traceId = '', spanId = ''] = /00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(envelope ?? '') ?? [];
      return [jobId, { traceId, spanId }];
    }),
  );
}

/** Whether the call's CLIENT span leads to the attempt, the attempt to the PRODUCER span, and that one to the request. */
function isWhole(spans: readonly RecordedSpan[], call: SinkCall, producedBy: Place | undefined): boolean {
  const by = (spanId: string | undefined, kind: RecordedSpan['kind']) =>
    spans.find((span) => span.spanId === spanId && span.kind === kind);
  const attempt = by(by(call.spanId, 'CLIENT')?.parentSpanId, 'CONSUMER');
  const producer = by(attempt?.parentSpanId, 'PRODUCER');
  return (
    producer !== undefined &&
    producer.spanId === producedBy?.spanId &&
    by(producer.parentSpanId, 'SERVER') !== undefined
  );
}
