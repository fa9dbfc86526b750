import { describe, expect, test } from '@jest/globals';
import { defineExtension, defineTask, noPii, orderLinePlaced, pii, subscribe } from '@coordinator/extension';
import { expectEnqueued, startHarness } from '@coordinator/task-testing';
import { z } from 'zod';
import { orders } from '../index.ts';
import { fulfil } from '../tasks.ts';

const print = defineTask({
  name: 'printer.print',
  payload: z.strictObject({ sku: noPii(z.string()), username: pii(z.string(), 'username', 'local_api') }),
});

/** Delivers posters. */
const printer = defineExtension({
  name: 'printer',
  config: z.object({}),
  tasks: { print },
  handlers: async () => ({ print: async () => undefined }),
  subscriptions: [
    subscribe(orderLinePlaced, print, ({ kind, sku, username }) => (kind === 'poster' ? { sku, username } : undefined)),
  ],
});

const line = { lineId: 'l1', kind: 'poster', sku: 'starry-night', quantity: 1, unitPriceMinor: 1900 };
const body = {
  orderNumber: 'D-1001',
  currency: 'USD',
  customer: { id: '42', username: 'ada', email: 'ada@example.test' },
  lines: [line],
};

const start = () => startHarness({ extensions: [orders, printer] });

describe('an order', () => {
  test('has a child job for each line, about the same order', async () => {
    const harness = await start();
    const lines = [line, { ...line, lineId: 'l2', sku: 'sunflowers' }];
    const [receipt] = await harness.accept('/v1/orders', { body: { ...body, lines } });
    await harness.drain();

    expectEnqueued(harness, print, { sku: 'starry-night', username: 'ada' });
    expectEnqueued(harness, print, { sku: 'sunflowers' });
    expect(harness.timeline('order:D-1001').map(({ task, state }) => [task, state])).toEqual([
      ['orders.fulfil', 'completed'],
      ['printer.print', 'completed'],
      ['printer.print', 'completed'],
    ]);
    expect(receipt).toMatchObject({ task: 'orders.fulfil', duplicate: false });
  });

  test('with one line that nobody delivers delivers none, and is a dead letter that names the kind', async () => {
    const harness = await start();
    await harness.accept('/v1/orders', {
      body: { ...body, lines: [line, { ...line, lineId: 'l2', kind: 'balloon' }] },
    });
    await harness.drain();

    expect(harness.jobs({ task: print })).toEqual([]);
    expect(harness.jobs({ task: fulfil })).toMatchObject([
      {
        state: 'dead',
        error: { code: 'COORD_NOTHING_SUBSCRIBES', message: expect.stringContaining('"balloon" (line l2)') },
      },
    ]);
  });

  test('leaves the e-mail address behind', async () => {
    const harness = await start();
    await harness.accept('/v1/orders', { body });
    expect(JSON.stringify(harness.enqueued)).not.toContain('example.test');
  });
});

describe('an order sent again', () => {
  test('is the same job, by its number', async () => {
    const harness = await start();
    const [first] = await harness.accept('/v1/orders', { body });
    const [second] = await harness.accept('/v1/orders', { body });
    expect(second).toMatchObject({ jobId: first?.jobId, duplicate: true });
  });

  test('with another content is refused', async () => {
    const harness = await start();
    await harness.accept('/v1/orders', { body });
    const other = { ...body, lines: [{ ...line, quantity: 2 }] };
    await expect(harness.accept('/v1/orders', { body: other })).rejects.toMatchObject({
      code: 'COORD_IDEMPOTENCY_CONFLICT',
    });
  });

  test('by another caller is another order', async () => {
    const harness = await start();
    const [first] = await harness.accept('/v1/orders', { body, caller: 'shop' });
    const [second] = await harness.accept('/v1/orders', { body, caller: 'market' });
    expect(second?.jobId).not.toBe(first?.jobId);
  });
});

test.each<[string, object, string?]>([
  ['a price that is no integer', { lines: [{ ...line, unitPriceMinor: 19.5 }] }],
  [
    'a price beyond what JSON numbers hold',
    { lines: [{ ...line, unitPriceMinor: 2 ** 53 }] },
    'COORD_BODY_UNSAFE_NUMBER',
  ],
  ['two lines with one id', { lines: [line, line] }],
  ['no lines', { lines: [] }],
  ['101 lines', { lines: Array.from({ length: 101 }, (_, i) => ({ ...line, lineId: `l${i}` })) }],
  ['a control character in the order number', { orderNumber: 'D\u0000' }],
  ['a currency that is no code', { currency: 'dollars' }],
])('an order with %s is refused', async (_what, change, code = 'COORD_BODY_INVALID') => {
  const harness = await start();
  await expect(harness.accept('/v1/orders', { body: { ...body, ...change } })).rejects.toMatchObject({
    code,
  });
  expect(harness.enqueued).toEqual([]);
});
