import { ConfigError, readConfig, secret, Secret, serviceUrl } from '@coordinator/config';
import { bearer, DownstreamClient, oauth2ClientCredentials } from '@coordinator/downstream';
import { noPii } from '@coordinator/logging';
import { startHarness } from '@coordinator/task-testing';
import { defineTask } from '@coordinator/tasks';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineExtension } from './extension.ts';
import { Registry } from './registry.ts';
import { bearerToken, apiRoute, type Route } from './route.ts';

const call = defineTask({ name: 'mail.call', payload: noPii(z.strictObject({ to: z.string() })), maxAttempts: 1 });
const mailConfig = z.object({ MAIL_URL: serviceUrl().default('https://mail.example.test'), MAIL_TOKEN: secret() });
type MailConfig = z.output<typeof mailConfig>;
const auth = { clientId: 'c', clientSecret: new Secret('s'), style: 'form', scheme: 'Bearer' } as const;

/** An extension that makes something of its configuration when its handlers are loaded, and when they run. */
function mail(load: (config: MailConfig) => unknown, run: (to: string) => unknown = () => undefined) {
  return defineExtension({
    name: 'mail',
    config: mailConfig,
    tasks: { call },
    handlers: async (config) => {
      await Promise.resolve();
      load(config);
      return { call: async ({ to }) => void run(to) };
    },
  });
}

const clientTo = (baseUrl: string) => new DownstreamClient({ name: 'mail', baseUrl });
const config = { MAIL_URL: 'https://mail.example.test/v2', MAIL_TOKEN: new Secret('t'), BANK_TOKEN: new Secret('b') };
const loading = (...load: Parameters<typeof mail>) => new Registry([mail(...load)]).loadHandlers(config);

describe('the services that an extension calls', () => {
  test('are those of its serviceUrl() variables', async () => {
    await expect(
      loading(({ MAIL_URL, MAIL_TOKEN }) => {
        const token = oauth2ClientCredentials({ ...auth, tokenUrl: 'https://mail.example.test/token' });
        return new DownstreamClient({ name: 'mail', baseUrl: MAIL_URL, auth: [token, bearer(MAIL_TOKEN)] });
      }),
    ).resolves.toBeInstanceOf(Function);
  });

  test.each([
    ['another host', () => clientTo('https://other.example.test')],
    ['another port', () => clientTo('https://mail.example.test:8443')],
    ['no TLS', () => clientTo('http://mail.example.test')],
    ['tokens from elsewhere', () => oauth2ClientCredentials({ ...auth, tokenUrl: 'https://other.example.test/token' })],
  ])('are no others: %s', async (_what, load) => {
    await expect(loading(load)).rejects.toMatchObject({
      name: 'RegistryError',
      faults: [
        expect.stringMatching(/^mail calls http.*, and no serviceUrl\(\) of its config leads there; it has MAIL_URL$/),
      ],
    });
  });

  test('are no others in an attempt either', async () => {
    const environment = { MAIL_TOKEN: 't' };
    const harness = await startHarness({ extensions: [mail(() => undefined, clientTo)], environment });
    for (const to of ['https://mail.example.test', 'https://other.example.test'])
      await harness.queue.enqueue(call, { to });
    expect((await harness.drain()).map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'completed' },
      { kind: 'dead', error: { message: expect.stringContaining('mail calls https://other.example.test') } },
    ]);
  });

  test('are no others for an authentication of its own', async () => {
    let calling: Promise<unknown> = Promise.resolve();
    const url = new URL('https://other.example.test/token');
    const request = { url, form: {}, headers: {}, answer: z.record(z.string(), z.string()) };
    await loading(({ MAIL_URL: baseUrl }) => {
      const client = new DownstreamClient({ name: 'mail', baseUrl, auth: { headers: (send) => send(request) } });
      calling = client.request({ method: 'GET', path: '/' });
    });
    await expect(calling).rejects.toThrow('mail calls https://other.example.test');
  });

  test('are at addresses that may be called, and the variables that name another are told all at once', async () => {
    const bank = { ...mail(() => undefined), name: 'bank', tasks: {}, handlers: async () => ({}) };
    const other = { ...bank, config: z.object({ BANK_URL: serviceUrl().optional() }) };
    const forbidden = { ...config, MAIL_URL: 'http://169.254.10.10', BANK_URL: 'http://[fe80::1]' };
    const loaded = new Registry([mail(() => undefined), other]).loadHandlers(forbidden);
    await expect(loaded).rejects.toBeInstanceOf(ConfigError);
    await expect(loaded).rejects.toMatchObject({
      faults: ['MAIL_URL', 'BANK_URL'].map((name) =>
        expect.stringMatching(`^${name} must not name an address that is link-local`),
      ),
    });
  });

  test('do not bind a client that no extension made', () => {
    expect(clientTo('https://other.example.test').name).toBe('mail');
  });
});

describe('the variables that an extension reads', () => {
  test('are those it declares, and no secret of another', async () => {
    await expect(loading((all) => (all as unknown as typeof config).BANK_TOKEN)).rejects.toMatchObject({
      faults: ['mail: it reads BANK_TOKEN, which its config does not declare'],
    });
    const seen: unknown[] = [];
    await loading((own) => seen.push({ ...own }));
    expect(seen).toEqual([{ MAIL_URL: config.MAIL_URL, MAIL_TOKEN: config.MAIL_TOKEN }]);
  });

  test('are others for its routes, which need nothing of what its handlers need', () => {
    const routeConfig = z.object({ MAIL_SUMMARY: z.string() });
    const route = ({ MAIL_SUMMARY: summary }: Record<string, string>): Route[] => {
      const body = z.strictObject({});
      return [
        apiRoute({ path: '/v1/mails', summary: `${summary}`, auth: bearerToken(), body, accept: async () => [] }),
      ];
    };
    const extension = { ...mail(() => undefined), routeConfig, routes: route as never };
    const registry = new Registry([extension]);
    const read = readConfig([extension.routeConfig], { MAIL_SUMMARY: 'Take mail' });
    expect(registry.routes(read).map((found) => found.route.summary)).toEqual(['Take mail']);

    const greedy = { ...extension, routes: ((all: MailConfig) => [all.MAIL_TOKEN]) as never };
    expect(() => new Registry([greedy]).routes({ ...config, MAIL_SUMMARY: 'x' })).toThrow(
      'mail: it reads MAIL_TOKEN, which its routeConfig does not declare',
    );
  });

  test('begin with its name, for handlers and for routes', () => {
    const routeConfig = z.object({ POST_SECRET: secret() });
    expect(() => new Registry([{ ...mail(() => undefined), routeConfig }])).toThrow(
      'mail: the variable POST_SECRET must begin with MAIL_',
    );
  });

  test('may be none', () => {
    const plain = defineExtension({ name: 'plain', tasks: {}, handlers: async () => ({}) });
    expect(readConfig([plain.config, plain.routeConfig], {})).toEqual({});
  });
});
