import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually, freePort, leakChecks, privateRedis } from '@coordinator/task-testing';
import { ManagedProcess, NODE_FLAGS, orderExample, REPOSITORY, sandboxSettings } from '@coordinator/tools';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';

const redis = privateRedis();
leakChecks(redis);

const folder = mkdtempSync(join(tmpdir(), 'coordinator-production-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const keysFile = join(folder, 'keys.json');
writeFileSync(keysFile, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'lms-1' }] }));

/** What an API needs to take the JWTs of an LMS. */
const JWT = {
  API_JWT_KEYS_FILE: keysFile,
  API_JWT_ISSUER: 'https://lms.example.test/oauth2',
  API_JWT_AUDIENCE: 'openedx',
};

/** What the installed extensions need; nothing listens at the addresses in it. */
let extensionSettings: NodeJS.ProcessEnv;
beforeAll(async () => {
  const env = { PATH: process.env['PATH'], SANDBOX_PORT: '1' };
  extensionSettings = await sandboxSettings(join(REPOSITORY, 'apps/sandbox/dist/main.js'), env);
}, 60_000);

const started: ManagedProcess[] = [];
afterEach(() => Promise.all(started.splice(0).map((process) => process.stop())));

/** An API as it is deployed, and where it answers. */
async function startApi(env: NodeJS.ProcessEnv, flags = NODE_FLAGS) {
  const [port, admin] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const api = new ManagedProcess({
    name: 'api',
    args: [...flags, join(REPOSITORY, 'apps/coordinator-api/dist/main.js')],
    env: {
      ...{ PATH: process.env['PATH'], NODE_ENV: 'production', REDIS_PERSISTENCE: 'none', REDIS_URL: redis.url },
      ...{ API_PORT: String(port), ADMIN_PORT: String(admin), ADMIN_TOKENS: 'alice=SECRET:read' },
      ...extensionSettings,
      ...env,
    },
    readyUrl: `${url}/readyz`,
  });
  started.push(api);
  api.start();
  return { api, url };
}

async function statusOf(url: string): Promise<number> {
  const answer = await request(url);
  await answer.body.dump();
  return answer.statusCode;
}

/** As an LMS signs it for one of its applications. */
function jwt(claims: object = {}): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const usual = { iss: JWT.API_JWT_ISSUER, aud: JWT.API_JWT_AUDIENCE, sub: '8a3f', iat: nowS, exp: nowS + 3_600 };
  const parts = [
    { alg: 'RS512', kid: 'lms-1' },
    { ...usual, scopes: ['read', 'coordinator'], ...claims },
  ];
  const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign('sha512', Buffer.from(signed), privateKey).toString('base64url')}`;
}

async function placeOrder(url: string, orderNumber: string, token = jwt()): Promise<number> {
  const answer = await request(`${url}/v1/orders`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(orderExample(orderNumber)),
  });
  await answer.body.dump();
  return answer.statusCode;
}

describe('an API in production', () => {
  test('needs no token of its own where it takes those of an LMS', async () => {
    const { api, url } = await startApi(JWT);
    await api.ready();
    expect(await placeOrder(url, 'J-1')).toBe(202);
    expect(await placeOrder(url, 'J-2', jwt({ scopes: ['read'] }))).toBe(403);
    expect(await placeOrder(url, 'J-3', jwt({ exp: 1 }))).toBe(401);
    expect(await placeOrder(url, 'J-4', 'dev-token')).toBe(401);
  });

  test('does not start without either, with half of it, or with the private key, and says all that is wrong', async () => {
    const { api } = await startApi({});
    expect((await api.exited).code).toBe(1);
    expect(api.lines.join('\n')).toMatch(/API_TOKENS: set it to the callers/);

    const privateFile = join(folder, 'private.json');
    writeFileSync(privateFile, JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }));
    const half = await startApi({ API_JWT_KEYS_FILE: privateFile, API_RATE_BURST: '5' });
    expect((await half.api.exited).code).toBe(1);
    const said = half.api.lines.join('\n');
    for (const fault of ['a private or symmetric key', 'needs API_JWT_ISSUER', 'needs API_JWT_AUDIENCE', 'API_RATE_']) {
      expect(said).toContain(fault);
    }
    expect(said).not.toContain(privateKey.export({ format: 'jwk' }).d);
  });

  test('does not start on a Node that gives objects a __proto__', async () => {
    const { api } = await startApi(JWT, []);
    expect((await api.exited).code).toBe(1);
    expect(api.lines.join('\n')).toContain('node --disable-proto=delete');
  });

  test('serves on for 5 s after SIGTERM, not ready, and exits with 1 at a second one', async () => {
    const { api, url } = await startApi(JWT);
    await api.ready();
    api.kill('SIGTERM');
    await eventually(async () => expect(await statusOf(`${url}/readyz`)).toBe(503));
    expect(await placeOrder(url, 'T-1')).toBe(202);
    expect(await statusOf(`${url}/startupz`)).toBe(200);
    const line = api.lines.find((said) => said.includes('serving on')) ?? '{}';
    expect(JSON.parse(line)).toMatchObject({ delayMs: 5_000 });
    api.kill('SIGTERM');
    expect(await api.exited).toEqual({ code: 1, signal: null });
  });
});
