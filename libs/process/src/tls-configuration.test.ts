import { apiConfig, coreConfig, readConfig, redisTlsFiles, type ConfigError } from '@coordinator/config';
import { CertificateAuthority } from '@coordinator/task-testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'config-pem-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Files of these names and what they hold. */
const paths = Object.fromEntries(
  ['cert', 'key', 'otherKey', 'ca', 'damaged', 'nothing'].map((name) => [name, join(folder, name)]),
) as Record<'cert' | 'key' | 'otherKey' | 'ca' | 'damaged' | 'nothing', string>;
beforeAll(() => {
  const [authority, other] = [new CertificateAuthority(), new CertificateAuthority()];
  const { cert, key } = authority.issue();
  // As servers show it: with the certificates between it and its authority.
  writeFileSync(paths.cert, cert + other.cert);
  writeFileSync(paths.key, key);
  writeFileSync(paths.otherKey, other.issue().key);
  writeFileSync(paths.ca, authority.cert + other.cert);
  writeFileSync(paths.damaged, cert.replace(/[A-Za-z]{20}/, 'x'.repeat(20)));
  writeFileSync(paths.nothing, 'c0ntent');
});

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig([coreConfig, apiConfig], env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
}

describe('the TLS settings of the API', () => {
  test('are paths, as what they lead to may be renewed', () => {
    const env = { API_TLS_CERT_FILE: paths.cert, API_TLS_KEY_FILE: paths.key, API_TLS_CLIENT_CA_FILE: paths.ca };
    expect(readConfig([apiConfig], { ...env, API_TLS_CLIENT_NAMES: 'shop.test, spiffe://test/shop' })).toMatchObject({
      ...env,
      API_TLS_CLIENT_NAMES: ['shop.test', 'spiffe://test/shop'],
    });
  });

  test('that are wrong are told all at once, with what else is wrong', () => {
    const absent = join(folder, 'absent');
    expect(
      faultsOf({
        API_PORT: 'x',
        API_RATE_BURST: '7',
        API_TLS_CERT_FILE: absent,
        API_TLS_KEY_FILE: paths.nothing,
        API_TLS_CLIENT_CA_FILE: paths.damaged,
      }),
    ).toEqual([
      'API_PORT must be a port: a whole number from 0 (any free port) to 65535',
      'API_TLS_CERT_FILE must name a file with a certificate in PEM, and it cannot be read (ENOENT)',
      'API_TLS_KEY_FILE must name a file with an unencrypted private key in PEM',
      'API_TLS_CLIENT_CA_FILE must name a file with a certificate in PEM',
      'API_RATE_BURST needs API_RATE_PER_SECOND beside it',
    ]);
  });

  test.each([
    [{ API_TLS_CERT_FILE: paths.cert }, 'API_TLS_CERT_FILE needs API_TLS_KEY_FILE beside it'],
    [{ API_TLS_KEY_FILE: paths.key }, 'API_TLS_KEY_FILE needs API_TLS_CERT_FILE beside it'],
    [{ API_TLS_CLIENT_CA_FILE: paths.ca }, 'API_TLS_CLIENT_CA_FILE needs API_TLS_CERT_FILE beside it'],
    [{ API_TLS_CLIENT_NAMES: 'shop.test' }, 'API_TLS_CLIENT_NAMES needs API_TLS_CLIENT_CA_FILE beside it'],
    [
      { API_TLS_CERT_FILE: paths.cert, API_TLS_KEY_FILE: paths.otherKey },
      'API_TLS_KEY_FILE is not the key of the certificate that API_TLS_CERT_FILE names',
    ],
  ])('that do not fit together are a fault: %j', (env, fault) => {
    expect(faultsOf(env)).toEqual([fault]);
  });

  test('are told without what the files hold', () => {
    expect(faultsOf({ API_TLS_CERT_FILE: paths.nothing, API_TLS_KEY_FILE: paths.nothing }).join()).not.toContain('c0n');
  });
});

describe('the TLS settings for Redis', () => {
  const files = { REDIS_TLS_CA_FILE: paths.ca, REDIS_TLS_CERT_FILE: paths.cert, REDIS_TLS_KEY_FILE: paths.key };

  test('are paths, as what they lead to may be renewed', () => {
    const config = readConfig([coreConfig], { ...files, REDIS_URL: 'rediss://redis.test' });
    expect(redisTlsFiles(config)).toEqual({ caFile: paths.ca, certFile: paths.cert, keyFile: paths.key });
  });

  test('are refused where they would be ignored', () => {
    expect(faultsOf({ ...files, REDIS_URL: 'redis://redis.test' })).toEqual([
      'REDIS_TLS_CA_FILE needs a rediss:// address in REDIS_URL',
      'REDIS_TLS_CERT_FILE needs a rediss:// address in REDIS_URL',
    ]);
  });

  test('have a certificate and its own key', () => {
    const REDIS_URL = 'rediss://redis.test';
    expect(faultsOf({ REDIS_URL, REDIS_TLS_CERT_FILE: paths.cert, REDIS_TLS_KEY_FILE: paths.otherKey })).toEqual([
      'REDIS_TLS_KEY_FILE is not the key of the certificate that REDIS_TLS_CERT_FILE names',
    ]);
    expect(faultsOf({ REDIS_URL, REDIS_TLS_CERT_FILE: paths.cert })).toEqual([
      'REDIS_TLS_CERT_FILE needs REDIS_TLS_KEY_FILE beside it',
    ]);
  });
});
