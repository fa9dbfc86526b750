import { expect, test } from '@jest/globals';
import type { RecordedSpan } from '@coordinator/task-testing';
import { checkOrderTrace, traceLines } from './order-trace.ts';

const API = 'coordinator-api';
const WORKER = 'coordinator-worker';

function span(
  spanId: string,
  parentSpanId: string | undefined,
  service: string,
  kind: RecordedSpan['kind'],
  name: string,
) {
  const attributes = kind === 'CONSUMER' ? { 'coordinator.envelope.release': '1.2.3' } : {};
  const times = { startMs: Number(spanId), durationMs: 1, status: 'UNSET', links: [] } as const;
  return { traceId: 't', spanId, parentSpanId, service, release: '1.2.3', kind, name, attributes, ...times };
}

const WHOLE: readonly RecordedSpan[] = [
  span('1', undefined, API, 'SERVER', 'POST /v1/orders'),
  span('2', '1', API, 'PRODUCER', 'send orders'),
  span('3', '2', WORKER, 'CONSUMER', 'process orders.fulfil'),
  span('4', '3', WORKER, 'PRODUCER', 'send open-edx-lms'),
  span('5', '4', WORKER, 'CONSUMER', 'process lms.enrol'),
  span('6', '5', WORKER, 'CLIENT', 'POST /open-edx-lms/oauth2/access_token'),
  span('7', '5', WORKER, 'CLIENT', 'POST /api/enrollment/v1/enrollment'),
];

test('the whole trace of an order passes, in whatever order its spans come', () => {
  checkOrderTrace([...WHOLE].reverse(), '1.2.3');
  expect(traceLines(WHOLE).slice(0, 2)).toEqual([
    'coordinator-api SERVER POST /v1/orders',
    '  coordinator-api PRODUCER send orders',
  ]);
});

test.each(WHOLE.map(({ name }, index) => [name, index] as const))(
  'a trace without the span "%s" does not pass',
  (_, index) => {
    const spans = WHOLE.filter((_span, place) => place !== index);
    expect(() => checkOrderTrace(spans, '1.2.3')).toThrow('the trace of the order is not whole');
  },
);

test('a job that is in the trace but below nothing does not pass', () => {
  const spans = WHOLE.map((one) => (one.name === 'process lms.enrol' ? { ...one, parentSpanId: 'lost' } : one));
  expect(() => checkOrderTrace(spans, '1.2.3')).toThrow('the trace of the order is not whole');
});

test('a span, or an envelope, of another release does not pass', () => {
  const [root, ...others] = WHOLE;
  expect(() => checkOrderTrace([{ ...root!, release: '1.2.4' }, ...others], '1.2.3')).toThrow('another release');
  const envelopes = WHOLE.map((one) => ({ ...one, attributes: { 'coordinator.envelope.release': '1.2.2' } }));
  expect(() => checkOrderTrace(envelopes, '1.2.3')).toThrow('another release');
});
