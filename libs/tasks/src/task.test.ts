import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTask, type Handlers, type TaskHandler } from './task.ts';

const notify = defineTask({ name: 'shop.notify', payload: z.strictObject({ orderNumber: z.string() }) });

describe('declaring a task', () => {
  test('fills in a policy that lasts for days', () => {
    expect(notify).toMatchObject({ maxAttempts: 20, timeoutMs: 30_000, giveUpAfterMs: 259_200_000, payloadVersion: 1 });
  });

  test('refuses a name without a verb, and numbers that make no sense', () => {
    expect(() => defineTask({ name: 'notify', payload: z.object({}) })).toThrow('<noun>.<verb>');
    expect(() => defineTask({ name: 'shop.notify', payload: z.object({}), maxAttempts: 0 })).toThrow('maxAttempts');
  });

  test('refuses a deadline that no timer of Node waits for: it would pass at once', () => {
    const declare = (timeoutMs: number) => defineTask({ ...notify, timeoutMs });
    expect(declare(2_147_483_647)).toMatchObject({ timeoutMs: 2_147_483_647 });
    expect(() => declare(30 * 24 * 3_600_000)).toThrow('shop.notify: timeoutMs must be at most 2147483647, 24 days');
    expect(defineTask({ ...notify, giveUpAfterMs: 2_592_000_000 }).giveUpAfterMs).toBe(2_592_000_000);
  });
});

// The type checker runs these: an unused @ts-expect-error is itself an error.
describe('what the compiler refuses', () => {
  test('a handler that reads a field which the payload does not have', () => {
    const wrong: TaskHandler<typeof notify> = async (payload) => {
      // @ts-expect-error the payload has no orderId
      void payload.orderId;
    };
    expect(wrong).toBeDefined();
  });

  test('a task without a handler', () => {
    // @ts-expect-error notify is missing
    const none: Handlers<{ notify: typeof notify }> = {};
    expect(none).toEqual({});
  });

  test('a handler for another payload', () => {
    const refund = defineTask({ name: 'shop.refund', payload: z.strictObject({ amount: z.int() }) });
    const ofNotify: TaskHandler<typeof notify> = async () => undefined;
    // @ts-expect-error the payloads differ
    const wrong: Handlers<{ refund: typeof refund }> = { refund: ofNotify };
    expect(Object.keys(wrong)).toEqual([refund.name.slice('shop.'.length)]);
  });
});
