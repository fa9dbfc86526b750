import { describe, expect, test } from '@jest/globals';
import { propagation, ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { extractTraceContext, injectTraceContext, linkTo, traceIdOf } from './propagation.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${traceId}-b7ad6b7169203331-01`;

describe('a well-formed carrier', () => {
  test('gives the context of the span that wrote it, and what is injected from it is the same', () => {
    const carrier = { traceparent, tracestate: 'vendor=1' };
    const extracted = extractTraceContext(carrier);
    expect(trace.getSpanContext(extracted)).toMatchObject({ traceId, isRemote: true, traceFlags: TraceFlags.SAMPLED });
    expect(injectTraceContext(extracted)).toEqual(carrier);
  });

  test('gives its trace id and a link to its span', () => {
    expect(traceIdOf({ traceparent })).toBe(traceId);
    expect(linkTo({ traceparent })?.context.spanId).toBe('b7ad6b7169203331');
  });

  test('may come from a later version of the standard, and its unknown part is not passed on', () => {
    const extracted = extractTraceContext({ traceparent: `cc-${traceId}-b7ad6b7169203331-01-what-will-be` });
    expect(injectTraceContext(extracted).traceparent).toBe(traceparent);
  });
});

describe('a malformed carrier gives a fresh root', () => {
  test.each([
    ['nothing', {}],
    ['an empty text', { traceparent: '' }],
    ['zeros', { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` }],
    ['capital letters', { traceparent: traceparent.toUpperCase() }],
    ['a forbidden version', { traceparent: traceparent.replace(/^00/, 'ff') }],
    ['a part too many', { traceparent: `${traceparent}-00` }],
    ['two of them', { traceparent: `${traceparent}, ${traceparent}` }],
    ['a list', { traceparent: [traceparent] }],
    ['an object', { traceparent: { toString: () => traceparent } }],
    ['an inherited one', Object.create({ traceparent }) as object],
  ])('%s', (_what, carrier) => {
    expect(extractTraceContext(carrier)).toBe(ROOT_CONTEXT);
    expect([traceIdOf(carrier), linkTo(carrier)]).toEqual([undefined, undefined]);
  });
});

test('a tracestate longer than 512 characters is dropped, its trace is kept', () => {
  const state = (length: number): string => `v=${'x'.repeat(200)},w=${'x'.repeat(length - 205)}`;
  const injected = (length: number) =>
    injectTraceContext(extractTraceContext({ traceparent, tracestate: state(length) }));
  expect(injected(405)).toEqual({ traceparent, tracestate: state(405) });
  expect(injected(513)).toEqual({ traceparent });
});

test('baggage is not propagated', () => {
  const context = propagation.setBaggage(
    extractTraceContext({ traceparent }),
    propagation.createBaggage({ user: { value: 'ada' } }),
  );
  expect(injectTraceContext(context)).toEqual({ traceparent });
});

test('without a span there is nothing to inject', () => {
  expect(injectTraceContext(ROOT_CONTEXT)).toEqual({});
});
