import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { apiConfig, sandboxConfig, workerConfig } from './app-config.ts';
import { ConfigError } from './config-error.ts';
import { coreConfig } from './core-config.ts';
import { port } from './number-fields.ts';
import { readConfig } from './read-config.ts';
import { namedTokens, secret } from './secret-fields.ts';
import { list, oneOf } from './text-fields.ts';
import { serviceUrl } from './url-fields.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(content: string): string {
  const file = join(folder, `${Math.random()}`);
  writeFileSync(file, content);
  return file;
}

function faultsOf(schemas: readonly z.ZodObject[], env: NodeJS.ProcessEnv): ConfigError {
  try {
    readConfig(schemas, env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('No fault was found.');
}

describe('reading', () => {
  test('an empty environment gives the documented defaults', () => {
    const { REDIS_URL, ...others } = readConfig([coreConfig, apiConfig, workerConfig, sandboxConfig], {});
    expect(REDIS_URL.reveal()).toBe('redis://127.0.0.1:6379');
    expect(others).toEqual({
      NODE_ENV: 'development',
      REDIS_PERSISTENCE: 'always',
      REDIS_WAIT_REPLICAS: 0,
      LOG_LEVEL: 'info',
      SHUTDOWN_GRACE_MS: 25_000,
      QUEUE_MAX_DEPTH: 200_000,
      COMPLETED_RETENTION_MS: 345_600_000,
      DEAD_RETENTION_MS: 2_592_000_000,
      COORDINATOR_EXTENSIONS: [],
      API_PORT: 8080,
      ADMIN_PORT: 8081,
      API_HOSTS: [],
      API_MAX_CONNECTIONS: 4096,
      API_MAX_IN_FLIGHT: 1000,
      API_MAX_LOOP_LAG_MS: 1000,
      API_JWT_SCOPE: 'coordinator',
      API_MAX_HELD_BYTES: 67108864,
      WORKER_PORT: 8082,
      WORKER_QUEUES: [],
      WORKER_CONCURRENCY: 20,
      WORKER_LEASE_MS: 30_000,
      SANDBOX_PORT: 8090,
    });
  });

  test('several schemas become one object whose fields keep their types', () => {
    const config = readConfig([coreConfig, apiConfig], { API_PORT: '1234', API_TOKENS: 'shop=abc' });
    const apiPort: number = config.API_PORT;
    const level: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' = config.LOG_LEVEL;
    expect([apiPort, level, config.API_TOKENS?.[0]?.[1].reveal()]).toEqual([1234, 'info', 'abc']);
  });

  test('schemas known only at run time leave the types of the others alone', () => {
    const further: z.ZodObject[] = [z.object({ SHOP_URL: serviceUrl() })];
    const config = readConfig([coreConfig, ...further], { SHOP_URL: 'http://shop.test' });
    const grace: number = config.SHUTDOWN_GRACE_MS;
    expect([grace, config['SHOP_URL']]).toEqual([25_000, 'http://shop.test']);
  });

  test('an empty variable counts as unset', () => {
    expect(readConfig([apiConfig], { API_PORT: '', API_PORT_FILE: '' }).API_PORT).toBe(8080);
  });
});

describe('files', () => {
  const schema = z.object({ SHOP_SECRET: secret() });

  test('a variable can be given as a file, without its last line break', () => {
    const config = readConfig([schema], { SHOP_SECRET_FILE: fileWith(' s3cr3t \n') });
    expect(config.SHOP_SECRET.reveal()).toBe(' s3cr3t ');
  });

  test('a variable given twice is a fault', () => {
    const { faults } = faultsOf([schema], { SHOP_SECRET: 'a', SHOP_SECRET_FILE: fileWith('b') });
    expect(faults).toEqual(['SHOP_SECRET and SHOP_SECRET_FILE are both set: unset one']);
  });

  test('a file that cannot be read is a fault that says why and not where', () => {
    const { faults } = faultsOf([schema], { SHOP_SECRET_FILE: join(folder, 'absent') });
    expect(faults).toEqual(['SHOP_SECRET cannot be read from the file that SHOP_SECRET_FILE names (ENOENT)']);
  });

  test('an empty file counts as unset', () => {
    expect(faultsOf([schema], { SHOP_SECRET_FILE: fileWith('\n') }).faults).toHaveLength(1);
  });
});

describe('faults', () => {
  test('all faults of all schemas come at once, one per line, saying what to do', () => {
    const shop = z.object({ SHOP_SECRET: secret().describe('the key of the shop'), SHOP_PORT: port() });
    const error = faultsOf([coreConfig, apiConfig, shop], { LOG_LEVEL: 'loud', API_PORT: 'x', SHOP_PORT: '1' });
    expect(error.faults).toEqual([
      'LOG_LEVEL must be one of: debug, info, warn, error, fatal, silent',
      'API_PORT must be a port: a whole number from 0 (any free port) to 65535',
      'SHOP_SECRET is not set: set SHOP_SECRET or SHOP_SECRET_FILE (the key of the shop)',
    ]);
    expect(error.message.split('\n')).toHaveLength(4);
    expect(error.code).toBe('COORD_CONFIG');
  });

  test('a drain that no timer would wait for is one', () => {
    const { faults } = faultsOf([coreConfig, apiConfig], {
      SHUTDOWN_GRACE_MS: '2147483648',
      SHUTDOWN_DELAY_MS: '2147483648',
    });
    expect(faults).toEqual([
      'SHUTDOWN_GRACE_MS must be milliseconds: a whole number from 1 to 2147483647',
      'SHUTDOWN_DELAY_MS must be milliseconds: a whole number from 0 to 2147483647',
    ]);
  });

  test('a message never contains the value of a variable', () => {
    const value = 'v4lu3';
    const schema = z.object({
      A_PORT: port(),
      A_WORD: oneOf(['a']),
      A_URL: serviceUrl(),
      A_TOKENS: namedTokens(),
      A_EMAIL: z.email(),
      A_NUMBER: z.coerce.number(),
      A_LIST: list().pipe(z.array(z.enum(['a']))),
    });
    const error = faultsOf([schema], Object.fromEntries(Object.keys(schema.shape).map((name) => [name, value])));
    expect(error.faults).toHaveLength(7);
    expect(JSON.stringify([error.message, error.stack, error, error.cause])).not.toContain(value);
  });

  test('a variable that two schemas declare is a fault, unless it is the same declaration', () => {
    const { faults } = faultsOf([coreConfig, z.object({ REDIS_URL: serviceUrl().optional() })], {});
    expect(faults).toEqual(['REDIS_URL is declared by two schemas: rename one']);
    expect(readConfig([coreConfig, coreConfig], {}).LOG_LEVEL).toBe('info');
  });
});
