import { afterAll, describe, expect, test } from '@jest/globals';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiConfig } from './app-config.ts';
import { keySetFile, readKeySet } from './key-set-field.ts';
import { readConfig } from './read-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'key-set-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fileWith(content: unknown): string {
  const path = join(folder, String((files += 1)));
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const jwk = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const shortRsa = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed25519 = generateKeyPairSync('ed25519');

function faultOf(content: unknown): string | undefined {
  return keySetFile().safeParse(fileWith(content)).error?.issues[0]?.message;
}

describe('a file with a key set', () => {
  test('gives the public keys that signatures can be checked with', () => {
    const keys = [rsa, p256, ed25519].map(({ publicKey }, index) => jwk(publicKey, { kid: `k${index}` }));
    const path = fileWith({ keys });
    expect(keySetFile().parse(` ${path}\n`)).toBe(path);
    expect(readKeySet(path)).toEqual({ keys });
  });

  test('may hold a single key without an id', () => {
    expect(readKeySet(fileWith({ keys: [jwk(p256.publicKey, { use: 'sig' })] })).keys).toHaveLength(1);
  });

  test('may hold others, which are left out', () => {
    const ours = jwk(ed25519.publicKey);
    const others = [
      jwk(rsa.publicKey, { use: 'enc' }),
      jwk(shortRsa.publicKey),
      jwk(p384.publicKey),
      { kty: 'RSA', n: '!', e: 'AQAB' },
      { kty: 'unheard of' },
    ];
    expect(readKeySet(fileWith({ keys: [...others, ours] })).keys).toEqual([ours]);
    expect(faultOf({ keys: others })).toMatch(/has no public key for signatures that is RSA of 2048 bits or more/);
  });

  test.each([
    ['a private RSA key', jwk(rsa.privateKey)],
    ['a private P-256 key', jwk(p256.privateKey)],
    ['a private Ed25519 key', jwk(ed25519.privateKey)],
    ['a private key that is for encryption', jwk(rsa.privateKey, { use: 'enc' })],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
    ['a key with a part that is secret', { ...jwk(rsa.publicKey), dp: 'c2VjcmV0' }],
  ])('must not hold %s, which no message repeats', (_what, key) => {
    const fault = faultOf({ keys: [jwk(rsa.publicKey, { kid: 'a' }), key] });
    expect(fault).toMatch(/^names a file with a private or symmetric key: /);
    expect(Object.values(key).filter((value) => String(value).length > 5 && fault?.includes(String(value)))).toEqual(
      [],
    );
  });

  test.each([
    ['the same id', { kid: 'a' }, { kid: 'a' }],
    ['no id', { kid: 'a' }, {}],
  ])('must not hold two keys of which one has %s', (_what, one, other) => {
    const keys = [jwk(rsa.publicKey, one), jwk(p256.publicKey, other)];
    expect(faultOf({ keys })).toMatch(/where there are several keys, each needs a `kid` of its own$/);
  });

  test.each([
    ['no JSON', 'secret{'],
    ['PEM', rsa.publicKey.export({ type: 'spki', format: 'pem' })],
    ['null', null],
    ['a key alone', jwk(rsa.publicKey)],
    ['keys that are none', { keys: [null, 'secret'] }],
  ])('must not hold %s', (_what, content) => {
    expect(faultOf(content)).toBe('must name a file with a JSON Web Key Set: {"keys":[…]}');
  });

  test('must be there', () => {
    expect(keySetFile().safeParse(join(folder, 'none')).error?.issues[0]?.message).toBe(
      'must name a file with a JSON Web Key Set, and it cannot be read (ENOENT)',
    );
  });
});

test('keys, issuer and audience of JWTs make no sense without each other, and the scope not without them', () => {
  const all = {
    API_JWT_KEYS_FILE: fileWith({ keys: [jwk(p256.publicKey)] }),
    API_JWT_ISSUER: 'https://lms.example.test/oauth2',
    API_JWT_AUDIENCE: 'commerce',
  };
  expect(readConfig([apiConfig], all)).toMatchObject({ ...all, API_JWT_SCOPE: 'coordinator' });
  for (const missing of Object.keys(all)) {
    expect(() => readConfig([apiConfig], { ...all, [missing]: '' })).toThrow(`needs ${missing} beside it`);
  }
  expect(() => readConfig([apiConfig], { API_JWT_SCOPE: 'x' })).toThrow('API_JWT_SCOPE needs API_JWT_KEYS_FILE');
});
