import { CoordinatorError } from '@coordinator/tasks';
import { eventually, leakChecks, RecordingLog } from '@coordinator/task-testing';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Secret } from '@coordinator/config';
import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { bearerCheck, type BearerCheck } from './bearer.ts';
import { JwtFile, JwtIssuer, secondsFromNow } from './fixtures/jwt-issuer.ts';

leakChecks();
const issuer = new JwtIssuer();
const next = new JwtIssuer('ES256', 'key-2');

let file: JwtFile;
let log: RecordingLog;
let check: BearerCheck;
beforeEach(() => {
  file = new JwtFile(issuer.publicJwk);
  log = new RecordingLog();
  const tokens = [['shop', new Secret('shop-token')]] as const;
  check = bearerCheck(tokens, file.check({ log, reloadEveryMs: 20 }));
});
afterEach(() => {
  jest.useRealTimers();
  file.remove();
});

/** The caller of a token, or the code of the refusal. */
async function ask(token: string): Promise<string> {
  try {
    return await check(`Bearer ${token}`);
  } catch (error) {
    return (error as CoordinatorError).code;
  }
}

const messages = () => log.lines.map(({ message }) => message);

test.each(['RS256', 'RS512', 'PS256', 'ES256', 'EdDSA', 'Ed25519'])('a JWT may be signed with %s', async (alg) => {
  const signer = new JwtIssuer(alg);
  file.write(signer.publicJwk);
  await eventually(async () => expect(await ask(signer.token())).toBe('sub=shop-1'));
});

test('the caller of a JWT is its subject, under a name that no token of API_TOKENS can have', async () => {
  expect(await ask('shop-token')).toBe('shop');
  expect(await ask(issuer.token({ claims: { sub: 'shop' } }))).toBe('sub=shop');
});

test('a JWT that counted counts until it expires, and no longer', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'setInterval', 'clearInterval'] });
  const token = issuer.token({ claims: { exp: secondsFromNow(100) } });
  expect(await ask(token)).toBe('sub=shop-1');
  jest.setSystemTime(Date.now() + 129_000);
  expect(await ask(token)).toBe('sub=shop-1');
  jest.setSystemTime(Date.now() + 2_000);
  expect(await ask(token)).toBe('COORD_UNAUTHORIZED');
});

describe('keys that change', () => {
  test('are used without a restart, and what the old ones have signed counts no longer', async () => {
    const old = issuer.token();
    expect(await ask(old)).toBe('sub=shop-1');
    expect(await ask(next.token())).toBe('COORD_UNAUTHORIZED');

    file.write(issuer.publicJwk, next.publicJwk);
    await eventually(async () => expect(await ask(next.token())).toBe('sub=shop-1'));
    expect(await ask(old)).toBe('sub=shop-1');

    file.write(next.publicJwk);
    await eventually(async () => expect(await ask(old)).toBe('COORD_UNAUTHORIZED'));
    expect(await ask(next.token())).toBe('sub=shop-1');
  });

  test.each([
    ['no JSON', () => '{"keys":'],
    ['no key', () => '{"keys":[]}'],
    ['a private key', () => JSON.stringify({ keys: [next.privateJwk] })],
  ])('are not used where the file holds %s, and it is said', async (_what, content) => {
    writeFileSync(file.path, content());
    await eventually(() =>
      expect(messages()).toContainEqual(expect.stringMatching(/^the keys of JWTs cannot be used/)),
    );
    expect(await ask(issuer.token())).toBe('sub=shop-1');
    file.write(next.publicJwk);
    await eventually(async () => expect(await ask(next.token())).toBe('sub=shop-1'));
  });

  test('are looked at no more once the check is closed', async () => {
    const closed = new RecordingLog();
    file.check({ log: closed, reloadEveryMs: 20 }).close();
    file.write(next.publicJwk);
    await eventually(() => expect(messages()).toContain('the keys of JWTs were read again'));
    expect(closed.lines.map(({ message }) => message)).toEqual(['JWTs are taken for tokens']);
  });
});

describe('the log', () => {
  test.each([
    ['has expired', { exp: 1 }, 'ERR_JWT_EXPIRED exp'],
    ['is for others', { aud: 'lms' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED aud'],
    ['is of the future', { iat: secondsFromNow(600) }, 'ERR_JWT_CLAIM_VALIDATION_FAILED iat'],
    ['does not allow it', { scopes: [] }, 'sub=shop-1 does not have the scope'],
  ])('says that a JWT %s, once for many, and nothing that stands in it', async (_what, claims, reason) => {
    const tokens = [1, 2, 3].map((id) =>
      issuer.token({ claims: { ...claims, jti: `${id}`, email: 'ada@example.test' } }),
    );
    for (const token of tokens) expect(await ask(token)).toMatch(/^COORD_/);
    const refusals = log.lines.filter(({ message }) => message === 'a JWT was refused');
    expect(refusals).toMatchObject([{ level: 'warn', fields: { err: new Error(reason) } }]);
    const told = inspect(log.lines, { depth: null });
    for (const part of ['ada@', 'lms"', ...tokens.flatMap((token) => token.split('.'))])
      expect(told).not.toContain(part);
  });

  test('does not repeat what a stranger has written', async () => {
    const strange = [
      issuer.token({ claims: 'Zq7marker' }),
      issuer.token({ header: { crit: ['Zq7marker'], Zq7marker: 1 } }),
      issuer.token({ header: { alg: 'Zq7marker' } }),
      issuer.token({ header: { kid: 'Zq7marker' } }),
      'Zq7marker.Zq7marker.Zq7marker',
    ];
    for (const token of strange) expect(await ask(token)).toBe('COORD_UNAUTHORIZED');
    expect(inspect(log.lines, { depth: null })).not.toContain('Zq7marker');
  });
});
