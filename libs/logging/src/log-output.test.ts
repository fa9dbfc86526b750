import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const program = (end: string): string => `
  require('@swc-node/register');
  const { createLogger, flushLogs } = require(${JSON.stringify(join(__dirname, 'index.ts'))});
  const logger = createLogger({ service: 'child', release: '1' });
  for (let n = 1; n <= 20000; n++) logger.info({ n }, 'line');
  ${end}
`;

test.each([
  ['process.exit(0)', 0],
  ['setImmediate(() => { throw new Error("uncaught"); })', 1],
  ['flushLogs(); process.kill(process.pid, "SIGKILL")', null],
  ['', 0],
])('no line is lost when the process ends by: %s', async (end, code) => {
  const child = spawn(process.execPath, ['--conditions=@coordinator/source', '-e', program(end)], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: join(__dirname, '..'),
  });
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (written += chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const numbers = written
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { n: number }).n);
  expect(exitCode).toBe(code);
  // A write in flight when the process ends may come out behind those that are flushed then.
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 20000 }, (_none, index) => index + 1));
});
