import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { nodeBinary } from './node-binary.ts';
import { REPOSITORY } from './repository.ts';

const USAGE = `Usage: npm run test:node -- <major> [arguments of npm test]

Runs npm test under another version of Node, such as 22 or 24, which npm brings along. Its exit code is that of npm test.`;

function main([major, ...args]: readonly string[]): void {
  if (major === '--help' || major === '-h') {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  if (major === undefined || !/^\d+$/.test(major)) throw new Error(`Which Node? Give its major version.\n\n${USAGE}`);
  const node = nodeBinary(major);
  const child = spawn(node, [join(REPOSITORY, 'tools', 'run.mjs'), 'test', ...args], {
    stdio: 'inherit',
    // The commands that tests start look for node there.
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Ctrl-C reaches the child by itself.
    process.on(signal, () => void (signal === 'SIGTERM' && child.kill(signal)));
  }
  child.once('error', fail);
  child.once('close', (code) => (process.exitCode = code ?? 1));
}

function fail(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
