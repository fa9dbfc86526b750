import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';

/** What a process prints, and how it ends, when `fail` is called with this. */
function failing(argument: string) {
  const script = `
    const { runProcess } = require('./src/run-process.ts');
    const { z } = require('zod');
    const { ConfigError } = require('@coordinator/config');
    runProcess({
      service: 'test', release: '1.2.3', config: z.object({}), installed: [],
      start: async ({ fail }) => fail(${argument}),
    });
  `;
  const flags = ['--conditions=@coordinator/source', '--require', '@swc-node/register', '--eval', script];
  const env = { PATH: process.env.PATH, REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'silent' };
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
  const { status, stderr } = failing(argument);
  expect(stderr).toMatch(words);
  expect(status).toBe(1);
});
