import { inSpan } from '@coordinator/tracing';
import { defineExtension } from '@coordinator/extension';
import { defineTask } from '@coordinator/tasks';
import { SpanKind } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { startHarness } from './harness.ts';
import { recordSpans, type SpanRecording } from './record-spans.ts';
import type { SpanTree } from './recorded-span.ts';

let recording: SpanRecording;
beforeEach(() => {
  recording = recordSpans();
});
afterEach(() => recording.stop());

const named = ({ name, kind, children }: SpanTree): unknown => ({ [`${kind} ${name}`]: children.map(named) });

describe('recordSpans', () => {
  test('shows a job with its retries and its child as one trace', async () => {
    const first = defineTask({ name: 'shop.first', payload: z.strictObject({}) });
    const second = defineTask({ name: 'shop.second', payload: z.strictObject({}) });
    const shop = defineExtension({
      name: 'shop',
      config: z.object({}),
      tasks: { first, second },
      handlers: async () => ({
        first: async (_, context) => {
          if (context.attempt === 1) throw new Error('not yet');
          context.enqueue(second, {});
        },
        second: async () => undefined,
      }),
    });
    const harness = await startHarness({ extensions: [shop] });
    await inSpan('POST /v1/orders', { kind: SpanKind.SERVER }, () => harness.queue.enqueue(first, {}));
    await harness.drain();

    const { traceId } = recording.spans().find(({ name }) => name === 'POST /v1/orders')!;
    const [root, ...others] = recording.trace(traceId);
    expect(others).toEqual([]);
    expect(named(root!)).toEqual({
      'SERVER POST /v1/orders': [
        {
          'PRODUCER send shop': [
            { 'CONSUMER process shop.first': [] },
            {
              'CONSUMER process shop.first': [{ 'PRODUCER send shop': [{ 'CONSUMER process shop.second': [] }] }],
            },
          ],
        },
      ],
    });
    const [failed, completed] = recording.spans().filter(({ name }) => name === 'process shop.first');
    expect([failed?.status, completed?.status]).toEqual(['ERROR', 'UNSET']);
    expect(completed?.links).toEqual([{ traceId, spanId: failed?.spanId }]);
  });

  test('forgets when told, and leaves OpenTelemetry as it was', async () => {
    await inSpan('first', {}, () => undefined);
    recording.clear();
    expect(recording.spans()).toEqual([]);
    await recording.stop();
    await inSpan('unseen', {}, () => undefined);
    recording = recordSpans();
    await inSpan('second', {}, () => undefined);
    expect(recording.spans()).toEqual([expect.objectContaining({ name: 'second', kind: 'INTERNAL', status: 'UNSET' })]);
  });

  test('refuses a second recording at once', () => {
    expect(() => recordSpans()).toThrow('stop() first');
  });
});
