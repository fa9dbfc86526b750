import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Secret } from '@coordinator/config';
import { apiKeyHeader } from './api-key-header.ts';
import { DownstreamClient } from './downstream-client.ts';
import { oauth2ClientCredentials, type OAuth2ClientCredentials } from './oauth2-client-credentials.ts';

let server: Server;
let origin: string;
let clients: DownstreamClient[];
let tokenCalls: { headers: IncomingHttpHeaders; form: string }[];
let calls: IncomingHttpHeaders[];
let giveToken: (response: ServerResponse) => void;
let answer: (response: ServerResponse, authorization: string | undefined) => void;
let nowMs: number;

beforeEach(async () => {
  clients = [];
  tokenCalls = [];
  calls = [];
  nowMs = 1_000_000;
  giveToken = (response) => token(response, 3_600);
  answer = (response) => response.end('{}');
  server = createServer(async (request, response) => {
    const body = await text(request);
    if (request.url === '/oauth2/access_token') {
      tokenCalls.push({ headers: request.headers, form: body });
      giveToken(response);
    } else {
      calls.push(request.headers);
      answer(response, request.headers.authorization);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await Promise.all(clients.map((client) => client.close()));
});

function token(response: ServerResponse, expiresIn: unknown): void {
  const body = { access_token: `token-${tokenCalls.length}`, token_type: 'JWT', expires_in: expiresIn };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function oauth(options: Partial<OAuth2ClientCredentials> = {}) {
  const tokenUrl = `${origin}/oauth2/access_token`;
  const clientSecret = new Secret('s3cr3t&+');
  return oauth2ClientCredentials(
    { tokenUrl, clientId: 'cc key', clientSecret, style: 'form', scheme: 'JWT', ...options },
    () => nowMs,
  );
}

function clientOf(auth = oauth(), totalTimeoutMs = 5_000): DownstreamClient {
  const client = new DownstreamClient({ name: 'lms', baseUrl: origin, auth, totalTimeoutMs });
  clients.push(client);
  return client;
}

const call = (client: DownstreamClient) => client.request({ method: 'POST', path: '/enrol' });
const authorizations = () => calls.map(({ authorization }) => authorization);

describe('the call for a token', () => {
  test('sends the credentials as a form', async () => {
    await call(clientOf(oauth({ extra: { token_type: 'jwt' } })));
    expect(tokenCalls[0]?.form).toBe(
      'token_type=jwt&grant_type=client_credentials&client_id=cc+key&client_secret=s3cr3t%26%2B',
    );
    expect(tokenCalls[0]?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(authorizations()).toEqual(['JWT token-1']);
  });

  test('sends the credentials as Basic, form-encoded first', async () => {
    await call(clientOf(oauth({ style: 'basic', extra: { scope: 'manage_project:demo' }, scheme: 'Bearer' })));
    expect(tokenCalls[0]?.form).toBe('scope=manage_project%3Ademo&grant_type=client_credentials');
    const encoded = Buffer.from('cc+key:s3cr3t%26%2B').toString('base64');
    expect(tokenCalls[0]?.headers.authorization).toBe(`Basic ${encoded}`);
    expect(authorizations()).toEqual(['Bearer token-1']);
  });

  test('is made once, whoever waits', async () => {
    const client = clientOf();
    await Promise.all(Array.from({ length: 30 }, () => call(client)));
    await call(client);
    expect([tokenCalls.length, calls.length]).toEqual([1, 31]);
  });

  test('is made once for clients that share it', async () => {
    const auth = oauth();
    await Promise.all([call(clientOf(auth)), call(clientOf(auth))]);
    expect(tokenCalls).toHaveLength(1);
  });

  test('does not end for all when the one who began it gives up', async () => {
    const client = clientOf();
    const asked = new Promise<ServerResponse>((resolve) => {
      giveToken = resolve;
    });
    const caller = new AbortController();
    const first = client.request({ method: 'POST', path: '/first', signal: caller.signal });
    const second = call(client);
    const response = await asked;
    caller.abort();
    await expect(first).rejects.toMatchObject({
      kind: 'transient',
      message: 'lms: POST /first was not sent (aborted)',
    });
    token(response, 3_600);
    await expect(second).resolves.toMatchObject({ status: 200 });
    expect([tokenCalls.length, calls.length]).toEqual([1, 1]);
  });
});

describe('a token is used', () => {
  test.each([
    ['80 % of a long life', 3_600, 2_880_000],
    ['until 5 s before the end of a short one', 10, 5_000],
    ['four minutes when its life is not stated', undefined, 240_000],
    ['as long when its life is a text', '3600', 2_880_000],
  ])('%s', async (_what, expiresIn, freshMs) => {
    giveToken = (response) => token(response, expiresIn);
    const client = clientOf();
    await call(client);
    nowMs += freshMs - 1;
    await call(client);
    expect(tokenCalls).toHaveLength(1);
    nowMs += 1;
    await call(client);
    expect(authorizations()).toEqual(['JWT token-1', 'JWT token-1', 'JWT token-2']);
  });

  test('once, when it lives no longer than the margin', async () => {
    giveToken = (response) => token(response, 3);
    const client = clientOf();
    await call(client);
    await call(client);
    expect(authorizations()).toEqual(['JWT token-1', 'JWT token-2']);
  });
});

describe('after 401', () => {
  const only = (valid: string) => (response: ServerResponse, authorization: string | undefined) =>
    response.writeHead(authorization === valid ? 200 : 401).end();

  test('the token is dropped and the call made once more', async () => {
    answer = only('JWT token-2');
    await expect(call(clientOf())).resolves.toMatchObject({ status: 200 });
    expect(authorizations()).toEqual(['JWT token-1', 'JWT token-2']);
  });

  test('a second one is final', async () => {
    answer = only('none');
    await expect(call(clientOf())).rejects.toMatchObject({ kind: 'transient', status: 401 });
    expect([tokenCalls.length, calls.length]).toEqual([2, 2]);
  });

  test('calls refused together get one new token together', async () => {
    answer = only('JWT token-2');
    const client = clientOf();
    await Promise.all(Array.from({ length: 10 }, () => call(client)));
    expect(tokenCalls).toHaveLength(2);
  });

  test('credentials that never change are not tried again', async () => {
    answer = only('none');
    await expect(call(clientOf(apiKeyHeader('X-Edx-Api-Key', new Secret('k'))))).rejects.toMatchObject({ status: 401 });
    expect(calls).toHaveLength(1);
  });
});

describe('a token that does not come', () => {
  test.each([
    [401, '{"error":"invalid_client"}', 'transient', 'lms: POST /oauth2/access_token answered 401 (invalid_client)'],
    [400, '{"error":"Ada is not welcome"}', 'transient', 'lms: POST /oauth2/access_token answered 400'],
    [503, '', 'transient', 'lms: POST /oauth2/access_token answered 503'],
    [200, '{}', 'transient', 'lms: POST /oauth2/access_token answered 200, unusable (access_token: invalid_type)'],
    [
      200,
      '{"access_token":"a\\r\\nb"}',
      'transient',
      'lms: POST /oauth2/access_token answered 200, unusable (access_token: invalid_format)',
    ],
  ])(
    'after %i %s is %s, is not taken for the answer of the call, and is asked for again',
    async (status, body, kind, message) => {
      giveToken = (response) => response.writeHead(status).end(body);
      const client = clientOf();
      await expect(call(client)).rejects.toMatchObject({ kind, message, status: undefined, body: undefined });
      expect(calls).toHaveLength(0);
      giveToken = (response) => token(response, 3_600);
      await expect(call(client)).resolves.toMatchObject({ status: 200 });
    },
  );

  test('because the call for it was cut off leaves no doubt about the outcome', async () => {
    giveToken = (response) => response.destroy();
    const failed = call(clientOf());
    await expect(failed).rejects.toMatchObject({ kind: 'transient', code: 'COORD_DOWNSTREAM_UNAVAILABLE' });
  });

  test('because the call for it hangs leaves no doubt about the outcome, and is asked for again', async () => {
    let abandoned: Promise<unknown> = Promise.reject(new Error('No token was asked for'));
    abandoned.catch(() => undefined);
    giveToken = (response) => {
      abandoned = once(response, 'close');
    };
    const client = clientOf(oauth(), 150);
    await expect(call(client)).rejects.toMatchObject({ kind: 'transient', code: 'COORD_DOWNSTREAM_UNAVAILABLE' });
    await abandoned;
    giveToken = (response) => token(response, 3_600);
    await expect(call(client)).resolves.toMatchObject({ status: 200 });
  });

  test('shows no secret in its error', async () => {
    giveToken = (response) => response.writeHead(400).end('s3cr3t&+');
    const error = await call(clientOf(oauth({ style: 'basic' }))).catch((thrown: unknown) => thrown);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/s3cr3t|czNjcj/);
  });
});

test.each(['/oauth2/access_token', 'http://user:pw@a.test/', 'ftp://a.test'])(
  'the token URL %s is refused',
  (tokenUrl) => {
    expect(() => oauth({ tokenUrl })).toThrow(RangeError);
  },
);
