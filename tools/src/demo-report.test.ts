import { describe, expect, test } from '@jest/globals';
import type { RecordedSpan } from '@coordinator/task-testing';
import { drawTrace, slowestJob, summarize } from './demo-report.ts';
import type { DemoJob } from './demo-traffic.ts';

const job = (jobId: string, change: Partial<DemoJob> = {}): DemoJob => ({
  jobId,
  task: 'lms.enrol',
  state: 'completed',
  attempt: 1,
  outcome: 'completed',
  traceId: `trace-${jobId}`,
  createdAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:01.000Z',
  ...change,
});

describe('the summary of a demo', () => {
  test('counts an accepted job that no timeline shows as lost', () => {
    const accepted = [{ orderNumber: 'D-1', jobIds: ['a', 'b'] }];
    expect(summarize(accepted, [job('a'), job('child', { state: 'scheduled', attempt: 3 })])).toEqual({
      accepted: 1,
      jobs: 2,
      completed: 1,
      retried: 1,
      dead: 0,
      waiting: 1,
      lost: 1,
    });
  });

  test('finds the job that took longest', () => {
    const slow = job('slow', { finishedAt: '2026-01-01T00:01:00.000Z' });
    expect(slowestJob([job('a'), slow, job('open', { finishedAt: null })])).toBe(slow);
  });
});

test('a trace is drawn as a tree with the place of each span in time', () => {
  const span = (spanId: string, parentSpanId: string | undefined, name: string, startMs: number): RecordedSpan => {
    const rest = {
      kind: 'INTERNAL',
      service: 'worker',
      release: '1.2.3',
      status: 'OK',
      links: [],
      attributes: {},
    } as const;
    return { ...rest, traceId: 't', spanId, parentSpanId, name, startMs, durationMs: 2 };
  };
  const drawn = drawTrace([span('b', 'a', 'process lms.enrol', 1_500), span('a', undefined, 'POST /v1/orders', 1_000)]);
  expect(drawn.split('\n')).toEqual([
    '   +0.000 s      2.0 ms  POST /v1/orders  (worker)',
    '   +0.500 s      2.0 ms    process lms.enrol  (worker)',
  ]);
});
