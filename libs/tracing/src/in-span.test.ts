import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR } from './attributes.ts';
import { inSpan } from './in-span.ts';
import { injectTraceContext, linkTo } from './propagation.ts';

const exporter = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
});
beforeEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
});

const only = () => {
  expect(exporter.getFinishedSpans()).toHaveLength(1);
  return exporter.getFinishedSpans()[0]!;
};

test('gives back what was returned, and ends the span when it is there', async () => {
  const result = await inSpan(
    'send orders',
    { kind: SpanKind.PRODUCER, attributes: { [ATTR.task]: 'a.b' } },
    async () => {
      await Promise.resolve();
      expect(exporter.getFinishedSpans()).toEqual([]);
      return 7;
    },
  );
  expect(result).toBe(7);
  expect(only()).toMatchObject({
    name: 'send orders',
    kind: SpanKind.PRODUCER,
    attributes: { 'coordinator.task': 'a.b' },
  });
  expect(only().status).toEqual({ code: SpanStatusCode.UNSET });
});

test('spans within are children, also after waiting, and those told of another parent are not', async () => {
  await inSpan('outer', {}, async () => {
    await Promise.resolve();
    await inSpan('inner', {}, () => undefined);
    await inSpan('apart', { parent: ROOT_CONTEXT }, () => undefined);
  });
  const [inner, apart, outer] = exporter.getFinishedSpans();
  expect(inner!.parentSpanContext?.spanId).toBe(outer!.spanContext().spanId);
  expect(apart!.parentSpanContext).toBeUndefined();
  expect(apart!.spanContext().traceId).not.toBe(outer!.spanContext().traceId);
});

test('links lead to earlier spans, and missing ones are left out', async () => {
  const earlier = await inSpan('first', {}, () => injectTraceContext());
  exporter.reset();
  await inSpan('second', { links: [linkTo(earlier), linkTo({})] }, () => undefined);
  expect(only().links.map((link) => link.context.spanId)).toEqual([earlier.traceparent!.split('-')[2]]);
});

describe('an error', () => {
  test.each([
    ['its code', Object.assign(new Error('secret text'), { code: 'ECONNRESET' }), 'ECONNRESET'],
    ['its number', Object.assign(new Error('secret text'), { code: 429 }), '429'],
    ['its type', new RangeError('secret text'), 'RangeError'],
    ['its type, when the code is a message', Object.assign(new Error('x'), { code: 'secret text here' }), 'Error'],
    ['_OTHER, when it is no error', 'secret text', '_OTHER'],
    ['_OTHER, when it is nothing', undefined, '_OTHER'],
  ])('goes on to the caller and marks the span with %s', async (_what, thrown, type) => {
    const caught = await inSpan('x', {}, () => Promise.reject(thrown as Error)).catch((error: unknown) => ({ error }));
    expect(caught).toEqual({ error: thrown });
    expect(only().status).toEqual({ code: SpanStatusCode.ERROR, message: type });
    expect(only().attributes).toEqual({ 'error.type': type });
    expect(JSON.stringify([only().attributes, only().status, only().events])).not.toContain('secret');
  });

  test('that is thrown at once ends the span as well', async () => {
    const run = (): never => {
      throw new TypeError('x');
    };
    await expect(inSpan('x', {}, run)).rejects.toThrow(TypeError);
    expect(only().status.code).toBe(SpanStatusCode.ERROR);
  });
});
