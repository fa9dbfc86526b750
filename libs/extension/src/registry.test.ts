import { describe, expect, test } from '@jest/globals';
import { defineEvent, subscribe } from '@coordinator/events';
import { noPii } from '@coordinator/logging';
import { defineSchedule, defineTask } from '@coordinator/tasks';
import { z } from 'zod';
import { defineExtension } from './extension.ts';
import { Registry, RegistryError } from './registry.ts';
import { apiRoute, bearerToken, signature, webhook, type Route } from './route.ts';

const paid = defineEvent({ name: 'invoice.paid', data: z.strictObject({}) });
const thank = defineTask({ name: 'mail.thank', payload: z.strictObject({}) });
const book = defineTask({ name: 'ledger.book', payload: z.strictObject({}), queue: 'slow' });
const nothing = z.strictObject({});

const mail = defineExtension({
  name: 'mail',
  config: z.object({ MAIL_URL: z.string() }),
  tasks: { thank, book },
  handlers: async () => ({ thank: async () => undefined, book: async () => undefined }),
});

/** What is said about an extension with these routes. */
function faultsOfRoutes(...routes: Route[]): readonly string[] {
  const shop = defineExtension({
    name: 'shop',
    config: nothing,
    tasks: {},
    handlers: async () => ({}),
    routes: () => routes,
  });
  return faultsOf(() => new Registry([shop]).routes({}));
}

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

  test('refuses payloads and events of which nobody has said whether they are personal data, all at once', () => {
    const order = z.strictObject({ orderNumber: noPii(z.string()), buyer: z.strictObject({ name: z.string() }) });
    const invoiced = defineEvent({ name: 'order.invoiced', data: order });
    const invoice = defineTask({ name: 'shop.invoice', payload: order });
    const remind = defineTask({ name: 'shop.remind', payload: z.strictObject({ days: z.int(), note: z.string() }) });
    const handlers = async () => ({ invoice: async () => undefined, remind: async () => undefined });
    const shop = { name: 'shop', config: nothing, tasks: { invoice, remind }, handlers, events: [invoiced] };
    expect(faultsOf(() => new Registry([defineExtension(shop)]))).toEqual([
      'shop: the payload of shop.invoice: buyer.name is not marked pii() or noPii()',
      'shop: the payload of shop.remind: days is not marked pii() or noPii()',
      'shop: the payload of shop.remind: note is not marked pii() or noPii()',
      'shop: the data of order.invoiced: buyer.name is not marked pii() or noPii()',
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
      'mail: the schedule "mail.misfit": The payload of mail.thank is invalid: payload: It has members that the schema does not know',
      'mail: the schedule "mail.daily": no day is set',
    ]);
  });
  const invoices = { summary: 'Take an invoice', auth: bearerToken(), body: nothing, accept: async () => [] };

  test('refuses two routes with one path', () => {
    const route = apiRoute({ path: '/v1/invoices', ...invoices });
    expect(faultsOfRoutes(route, route)).toEqual(['two routes have the path /v1/invoices']);
  });

  test.each(['/v1/invoices/:id', '/v1/invoices/', '/v1/in voices', '/v1/invoices?x', '/v1/%41'] as const)(
    'refuses the path %s: routes are looked up and not matched',
    (path) => {
      expect(faultsOfRoutes(apiRoute({ path, ...invoices }))).toEqual([
        `shop: the path ${path} is not made of plain words: a route has no parameters`,
      ]);
    },
  );

  test.each([0, -1, 1.5, NaN, Infinity])('refuses a route whose bodies may have %d bytes', (maxBytes) => {
    expect(faultsOfRoutes(apiRoute({ path: '/v1/invoices', ...invoices, maxBytes }))).toEqual([
      `shop: the route /v1/invoices takes a body of ${maxBytes} bytes: maxBytes is a whole number from 1`,
    ]);
  });

  test('refuses a route without authentication, as JavaScript can write it', () => {
    const open = { ...apiRoute({ path: '/v1/open', ...invoices }), auth: undefined } as unknown as Route;
    expect(faultsOfRoutes(open)).toEqual(['shop: the route /v1/open declares no authentication']);
    const unsigned = webhook({ ...invoices, path: '/webhooks/shop', auth: { scheme: 'signature' } as never });
    expect(faultsOfRoutes(unsigned)).toEqual(['shop: the route /webhooks/shop declares no authentication']);
  });

  const body = z.object({
    note: z.string(),
    tags: z.array(z.string().max(9)),
    label: z.string().max(9).optional(),
    kind: z.enum(['a', 'b']),
    at: z.union([z.int(), z.iso.datetime()]),
    pairs: z.tuple([z.strictObject({ x: z.literal('y') })]),
    notes: z.record(z.string(), z.string().max(9)),
    more: z.unknown(),
  });

  test('refuses a body that has no bounds', () => {
    expect(faultsOfRoutes(apiRoute({ path: '/v1/notes', ...invoices, body }))).toEqual([
      'shop: the body of /v1/notes: the body takes unknown members: z.strictObject()',
      'shop: the body of /v1/notes: note has no greatest length: .max()',
      'shop: the body of /v1/notes: tags has no greatest length: .max()',
      'shop: the body of /v1/notes: at has no greatest length: .max()',
      'shop: the body of /v1/notes: notes.<name> has no greatest length: .max()',
      'shop: the body of /v1/notes: more takes anything: give it a schema',
    ]);
  });

  test('lets a webhook bring what it does not declare, but nothing without bounds', () => {
    const sent = webhook({ ...invoices, path: '/webhooks/shop', auth: signature(() => undefined), body });
    expect(faultsOfRoutes(sent)).toEqual(
      ['note', 'tags', 'at', 'notes.<name>'].map(
        (place) => `shop: the body of /webhooks/shop: ${place} has no greatest length: .max()`,
      ),
    );
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
  const open = { path: '/webhooks/open', summary: 'Open', body: nothing, accept: async () => [] } as const;
  // @ts-expect-error what signs is missing
  const unsigned = webhook({ ...open });
  // @ts-expect-error a webhook has no tokens
  const hook = webhook({ ...open, auth: bearerToken() });
  expect([route, unsigned, hook]).toHaveLength(3);
});
