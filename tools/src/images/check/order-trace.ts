import assert from 'node:assert/strict';
import { type RecordedSpan, type SpanTree, spanTrees } from '@coordinator/task-testing';

/** What docs/reference/telemetry.md says of the spans of an order of one course. */
const WHOLE_TRACE = [
  'coordinator-api SERVER POST /v1/orders',
  '  coordinator-api PRODUCER send orders',
  '    coordinator-worker CONSUMER process orders.fulfil',
  '      coordinator-worker PRODUCER send open-edx-lms',
  '        coordinator-worker CONSUMER process lms.enrol',
  // The sandbox plays each service below a path of its own.
  '          coordinator-worker CLIENT POST /open-edx-lms/oauth2/access_token',
  '          coordinator-worker CLIENT POST /api/enrollment/v1/enrollment',
];

/** The spans of a trace, one a line, each below its parent. */
export function traceLines(spans: readonly RecordedSpan[]): string[] {
  const below = (trees: readonly SpanTree[], depth: number): string[] =>
    trees.flatMap(({ service, kind, name, children }) => [
      `${'  '.repeat(depth)}${service} ${kind} ${name}`,
      ...below(children, depth + 1),
    ]);
  return below(spanTrees(spans), 0);
}

/**
 * Checks that the spans of an order of one course are whole: one tree from the request to the calls, nothing missing and nothing
 * beside it, all of one release, envelopes included.
 *
 * @throws Error that shows what came instead
 */
export function checkOrderTrace(spans: readonly RecordedSpan[], release: string): void {
  assert.deepEqual(traceLines(spans), WHOLE_TRACE, 'the trace of the order is not whole');
  const releases = spans.flatMap((span) =>
    [span.release, span.attributes['coordinator.envelope.release'] ?? []].flat(),
  );
  assert.deepEqual([...new Set(releases)], [release], 'spans or envelopes tell of another release than their image');
}
