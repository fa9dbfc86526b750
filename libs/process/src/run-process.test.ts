import { expect, test } from '@jest/globals';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { spawnSync } from 'node:child_process';

const redis = privateRedis();
leakChecks();

/** What a process prints, and how it ends, that begins with this. */
function run(start: string, redisUrl = 'redis://127.0.0.1:1') {
  const script = `
    const { runProcess } = require('./src/run-process.ts');
    const { z } = require('zod');
    const { ConfigError } = require('@coordinator/config');
    runProcess({
      service: 'test', release: '1.2.3', config: z.object({}), installed: [],
      start: ${start},
    });
  `;
  const flags = ['--conditions=@coordinator/source', '--require', '@swc-node/register', '--eval', script];
  const env = { PATH: process.env.PATH, REDIS_URL: redisUrl, LOG_LEVEL: 'silent' };
  const { status, stderr } = spawnSync(process.execPath, flags, { cwd: `${__dirname}/..`, encoding: 'utf8', env });
  return { status, stderr };
}

test.each([
  ["'the disk is gone'", /^the disk is gone\n$/],
  ["new ConfigError(['API_TOKENS is not set'])", /API_TOKENS is not set\n$/],
  ["new TypeError('no function')", /^TypeError: no function\n +at /],
  ["{ reason: 'none' }", /^{ reason: 'none' }\n$/],
  ["new Error('no user ada@example.test')", /^Error: no user \[redacted\]\n +at /],
  ["{ to: 'ada@example.test' }", /^{ to: \[redacted\]' }\n$/],
])('a process that fails with %s says so and ends with 1', (argument, words) => {
  const { status, stderr } = run(`async ({ fail }) => fail(${argument})`);
  expect(stderr).toMatch(words);
  expect(status).toBe(1);
});

test('a process that is older than what Redis holds says what to do, ends with 1, and has not begun to work', async () => {
  await redis.command('SET', '{cc}:layout', '99');
  const start = `async ({ admitted }) => {
    admitted.then(() => console.error('works'), () => undefined);
    return async () => undefined;
  }`;
  const { status, stderr } = run(start, redis.url);
  expect(stderr).toMatch(/^COORD_LAYOUT_UNKNOWN: Redis holds layout 99, .* Start that release, or a newer one\.\n$/);
  expect(status).toBe(1);
});
