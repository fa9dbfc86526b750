import { describe, expect, test } from '@jest/globals';
import { defineEvent, subscribe } from '@coordinator/events';
import { defineSchedule, defineTask } from '@coordinator/tasks';
import { z } from 'zod';
import { defineExtension } from './extension.ts';
import { Registry, RegistryError } from './registry.ts';
import { apiRoute, bearerToken } from './route.ts';

const paid = defineEvent({ name: 'invoice.paid', data: z.strictObject({}) });
const thank = defineTask({ name: 'mail.thank', payload: z.strictObject({}) });
const book = defineTask({ name: 'ledger.book', payload: z.strictObject({}), queue: 'slow' });
const nothing = z.object({});

const mail = defineExtension({
  name: 'mail',
  config: z.object({ MAIL_URL: z.string() }),
  tasks: { thank, book },
  handlers: async () => ({ thank: async () => undefined, book: async () => undefined }),
});

function faultsOf(build: () => unknown): readonly string[] {
  try {
    build();
  } catch (error) {
    if (error instanceof RegistryError) return error.faults;
  }
  return [];
}

describe('the registry', () => {
  test('puts a task on the queue of its extension, unless the task names another', () => {
    const { catalog } = new Registry([mail]);
    expect(catalog.get('mail.thank').queue).toBe('mail');
    expect(catalog.get('ledger.book').queue).toBe('slow');
  });

  test('reports all that does not fit together at once', () => {
    const other = defineExtension({
      name: 'Other',
      config: z.object({ MAIL_URL: z.string() }),
      tasks: { thank },
      handlers: async () => ({ thank: async () => undefined }),
      subscriptions: [
        subscribe(paid, thank, () => ({})),
        subscribe(paid, thank, () => ({})),
        subscribe(paid, book, () => ({})),
      ],
    });
    expect(faultsOf(() => new Registry([mail, mail, other]))).toEqual([
      'the extension name "Other" is not lower case letters, digits and hyphens',
      'two extensions have the name "mail"',
      'two tasks have the name "mail.thank"',
      'two tasks have the name "ledger.book"',
      'Other: the variable MAIL_URL must begin with OTHER_',
      'Other: no installed extension emits the event "invoice.paid"',
      'Other: it subscribes "mail.thank" to "invoice.paid" twice, which would make one job only',
      'Other: no installed extension emits the event "invoice.paid"',
      'Other: it subscribes "mail.thank" to "invoice.paid" twice, which would make one job only',
      'Other: no installed extension emits the event "invoice.paid"',
      'Other: it subscribes "ledger.book", which it does not declare',
    ]);
  });

  test('has the schedules of all extensions', () => {
    const hourly = defineSchedule({ name: 'mail.hourly', cron: '0 * * * *', task: thank, payload: {} });
    expect(new Registry([{ ...mail, schedules: [hourly] }]).schedules).toEqual([hourly]);
  });

  test('reports all that is wrong with schedules at once', () => {
    const hourly = { name: 'mail.hourly', cron: '0 * * * *' };
    const misfit = { day: 'monday' } as object as Record<string, never>;
    const made = () => {
      throw new Error('no day is set');
    };
    const scheduled = {
      ...mail,
      tasks: { thank },
      schedules: [
        defineSchedule({ ...hourly, task: thank, payload: {} }),
        defineSchedule({ ...hourly, task: book, payload: {} }),
        defineSchedule({ name: 'mail.misfit', cron: '0 * * * *', task: thank, payload: misfit }),
        defineSchedule({ name: 'mail.daily', cron: '0 0 * * *', task: thank, payload: made }),
      ],
    };
    expect(faultsOf(() => new Registry([scheduled]))).toEqual([
      'two schedules have the name "mail.hourly"',
      'mail: the schedule "mail.hourly" runs "ledger.book", which it does not declare',
      'mail: the schedule "mail.misfit": The payload of mail.thank is invalid: payload: Unrecognized key: "day"',
      'mail: the schedule "mail.daily": no day is set',
    ]);
  });

  test('refuses two routes with one path', () => {
    const route = apiRoute({
      path: '/v1/invoices',
      summary: 'Take an invoice',
      auth: bearerToken(),
      body: nothing,
      accept: async () => [],
    });
    const twice = defineExtension({
      name: 'invoices',
      config: nothing,
      tasks: {},
      handlers: async () => ({}),
      routes: () => [route, route],
    });
    expect(faultsOf(() => new Registry([twice]).routes({}))).toEqual(['two routes have the path /v1/invoices']);
  });

  test('refuses a task whose handler is missing at run time, as JavaScript can', async () => {
    const hollow = { ...mail, handlers: async () => ({ thank: async () => undefined, extra: async () => undefined }) };
    await expect(new Registry([hollow]).loadHandlers({})).rejects.toMatchObject({
      faults: ['mail: the task "ledger.book" has no handler "book"', 'mail: the handler "extra" has no task'],
    });
  });
});

// The type checker runs this one.
test('a route without authentication does not compile', () => {
  // @ts-expect-error auth is missing
  const route = apiRoute({ path: '/v1/open', summary: 'Open', body: nothing, accept: async () => [] });
  expect(route).toBeDefined();
});
