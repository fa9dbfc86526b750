import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RecordingLog, recordSpans, type RecordedSpan, type SpanRecording } from '@coordinator/task-testing';
import { startTracing } from '@coordinator/tracing';
import { trace } from '@opentelemetry/api';
import { z } from 'zod';
import { MemoryBackend } from './memory/memory-backend.ts';
import { MemoryClock } from './memory/memory-clock.ts';
import { runAttempt } from './run-attempt.ts';
import { takeBack } from './take-back.ts';
import { defineTask } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';

const LEASE_MS = 1_000;
const POLICY = { graceMs: 0, crashLimit: 3 };
const ship = defineTask({ name: 'warehouse.ship', payload: z.strictObject({}) });
const catalog = new TaskCatalog([{ task: ship, queue: 'warehouse' }]);
const origin = { catalog, release: '1.0.0', routeEvent: () => [] };

let recording: SpanRecording;
beforeEach(() => {
  recording = recordSpans();
});
afterEach(() => recording.stop());

/** A backend with jobs whose worker has taken them and was never heard of again. */
async function silence(jobs = 1) {
  const clock = new MemoryClock();
  const backend = new MemoryBackend(clock);
  const queue = new TaskQueue({ ...origin, backend });
  const take = async () => backend.claim('warehouse', backend.pop('warehouse') ?? '', LEASE_MS);
  for (let i = 0; i < jobs; i += 1) {
    await queue.enqueue(ship, {});
    await take();
  }
  clock.advance(LEASE_MS + 1);
  return { backend, take, log: new RecordingLog() };
}

const named = (name: string): RecordedSpan[] => recording.spans().filter((span) => span.name === name);
const placeOf = ({ traceId, spanId }: RecordedSpan) => ({ traceId, spanId });

describe('jobs that are taken back', () => {
  test('are told of in one span, to which the next attempt links', async () => {
    const { backend, take, log } = await silence(2);
    await takeBack('warehouse', POLICY, { backend, log });
    const claim = await take();
    if (!claim) throw new Error('nothing was taken back');
    await runAttempt(claim, { ...origin, backend, log, handlerOf: () => async () => undefined }, new AbortController());

    const [recovery, ...others] = named('recover warehouse');
    expect(others).toEqual([]);
    expect(recovery?.links).toEqual(named('send warehouse').map(placeOf));
    expect(recovery?.attributes).toMatchObject({ 'messaging.batch.message_count': 2 });
    const [attempt] = named('process warehouse.ship');
    expect(attempt?.attributes).toMatchObject({ 'coordinator.attempt': 2 });
    expect(attempt?.links).toEqual([recovery].map((span) => placeOf(span as RecordedSpan)));
  });

  test('are each logged in their trace', async () => {
    const { backend, log } = await silence(2);
    const traces: (string | undefined)[] = [];
    const warn = () => traces.push(trace.getActiveSpan()?.spanContext().traceId);
    await takeBack('warehouse', POLICY, { backend, log: Object.assign(log, { warn }) });
    expect(traces).toEqual(named('send warehouse').map(({ traceId }) => traceId));
  });

  test('are counted', async () => {
    const { backend, log } = await silence(3);
    await recording.stop();
    const tracing = startTracing({ service: 'test', release: '1.2.3' });
    try {
      await takeBack('warehouse', POLICY, { backend, log });
      const labels = 'coordinator_task="warehouse.ship",messaging_destination_name="warehouse"';
      const lines = (await tracing.metricsText()).split('\n');
      expect(lines).toContain(`coordinator_jobs_taken_back_total{${labels}} 3`);
    } finally {
      await tracing.shutdown();
    }
  });
});

test('where nothing is taken back there is no span', async () => {
  const { backend, log } = await silence(0);
  await takeBack('warehouse', POLICY, { backend, log });
  expect(recording.spans()).toEqual([]);
});
