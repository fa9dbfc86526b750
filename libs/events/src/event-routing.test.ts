import { describe, expect, test } from '@jest/globals';
import { defineTask } from '@coordinator/tasks';
import { z } from 'zod';
import { defineEvent } from './event.ts';
import { createEventRouting } from './event-routing.ts';
import { subscribe } from './subscription.ts';

const paid = defineEvent({ name: 'invoice.paid', data: z.strictObject({ invoice: z.string(), amountMinor: z.int() }) });
const thank = defineTask({ name: 'mail.thank', payload: z.strictObject({ invoice: z.string() }) });
const book = defineTask({ name: 'ledger.book', payload: z.strictObject({ amountMinor: z.int() }) });

const routeEvent = createEventRouting(
  [paid],
  [
    subscribe(paid, thank, ({ invoice }) => ({ invoice })),
    subscribe(paid, book, ({ amountMinor }) => (amountMinor === 0 ? undefined : { amountMinor })),
  ],
);

describe('routing an event', () => {
  test('starts one job for each subscription, under the identity of the event', () => {
    const options = { idempotencyKey: 'evt_1', subject: 'invoice:7' };
    expect(routeEvent(paid, { invoice: '7', amountMinor: 100 }, options)).toEqual([
      {
        task: thank,
        payload: { invoice: '7' },
        options: { idempotencyKey: 'invoice.paid:evt_1', refuseOtherPayload: false, subject: 'invoice:7' },
      },
      {
        task: book,
        payload: { amountMinor: 100 },
        options: { idempotencyKey: 'invoice.paid:evt_1', refuseOtherPayload: false, subject: 'invoice:7' },
      },
    ]);
  });

  test('leaves out a subscription that the event does not concern', () => {
    const routed = routeEvent(paid, { invoice: '7', amountMinor: 0 }, {});
    expect(routed.map(({ task }) => task.name)).toEqual(['mail.thank']);
  });

  test('keeps the mistake of one subscription from the others and from the one who announces', () => {
    const data = { invoice: 'secret', amountMinor: 100 };
    const routed = createEventRouting(
      [paid],
      [
        subscribe(paid, thank, () => {
          throw new Error('secret');
        }),
        subscribe(paid, thank, ({ amountMinor }) => ({ invoice: amountMinor }) as never),
        subscribe(paid, book, ({ amountMinor }) => ({ amountMinor })),
      ],
    )(paid, data, {});
    expect(routed.map(({ payload, fault }) => [payload, fault])).toEqual([
      [data, 'The subscription of mail.thank to invoice.paid made no payload: Error'],
      [data, expect.stringContaining('The payload of mail.thank is invalid: invoice: ')],
      [{ amountMinor: 100 }, undefined],
    ]);
  });

  test('refuses data that the event does not declare, naming the field and not its value', () => {
    const data = { invoice: '7', amountMinor: 'secret' } as unknown as { invoice: string; amountMinor: number };
    expect(() => routeEvent(paid, data, {})).toThrow(/invoice\.paid is invalid: amountMinor/);
    expect(() => routeEvent(paid, data, {})).not.toThrow(/secret/);
  });

  test('refuses an event that no installed extension declares', () => {
    const unknown = defineEvent({ name: 'invoice.lost', data: z.strictObject({}) });
    expect(() => routeEvent(unknown, {}, {})).toThrow('No installed extension declares the event "invoice.lost"');
  });
});

test('an event name is a noun and what happened to it', () => {
  expect(() => defineEvent({ name: 'paid', data: z.object({}) })).toThrow('payment.refunded');
});
