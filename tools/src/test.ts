import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findRedisServer } from '@coordinator/task-testing';
import {
  closingLine,
  type EndedCheck,
  type JestSummary,
  sum,
  type Tally,
  tallyOfChecks,
  tallyOfJest,
} from './tally.ts';
import { exitCodeOf } from './exit-code.ts';
import { Git } from './release/git.ts';
import { noteTestedTree } from './release/tested-tree.ts';
import { REPOSITORY } from './repository.ts';

const RESULTS = join(REPOSITORY, 'tmp', 'jest-results.json');
const PROVED = join(REPOSITORY, 'tmp', 'prove-results.json');

const STUCK_AFTER_MS = 15_000;

/**
 * Everything that has to hold before a change is handed on: lint, types, format, tests, and the promises of the tier pr.
 * Arguments go to Jest, which is then all that is run of the tests.
 */
async function main(jestArgs: readonly string[]): Promise<void> {
  // Asked once, before anything: a hundred tests that each say the same would hide it.
  await findRedisServer({ log: say });
  const git = new Git(REPOSITORY);
  const tree = git.cleanTree();
  const checks = await runChecks();
  const tests = await runJest(jestArgs);
  const promises = jestArgs.length === 0 ? await runProofs() : { passed: 0, failed: 0 };
  const all = sum(checks, tests, promises);
  say(closingLine(all));
  process.exitCode = all.failed === 0 ? 0 : 1;
  // What was edited meanwhile was not tested.
  const whole = all.failed === 0 && jestArgs.length === 0 && tree !== undefined && git.cleanTree() === tree;
  if (whole) noteTestedTree(git, tree);
}

/**
 * Lint, types and format of the whole repository, each in one process: `nx run-many` of the same checks starts forty, and
 * takes five times as long where nothing is cached. Nx stays the way to check what a change affects.
 */
async function runChecks(): Promise<Tally> {
  say('Lint, types, format …');
  // Makes Nx write down its project graph, without which the rule on module boundaries does not complain but keeps silent.
  const graph = await runQuietly('project graph', 'nx', ['show', 'projects']);
  const checks = await Promise.all([
    graph.code === 0 ? runQuietly('lint', 'eslint', ['.']) : graph,
    runQuietly('types', 'tsc', ['--project', 'tsconfig.all.json']),
    runQuietly('format', 'prettier', ['--check', '--log-level=warn', '.']),
  ]);
  for (const { name, code, output } of checks) {
    if (code !== 0) say(`${output.trimEnd()}\n${name}: failed`);
  }
  return tallyOfChecks(checks);
}

async function runJest(args: readonly string[]): Promise<Tally> {
  mkdirSync(join(REPOSITORY, 'tmp'), { recursive: true });
  rmSync(RESULTS, { force: true });
  const all = ['--json', `--outputFile=${RESULTS}`, ...args];
  const child = spawn(binOf('jest'), all, { cwd: REPOSITORY, stdio: ['ignore', 'inherit', 'inherit'] });
  const stopWatching = killWhenStuck(child);
  const code = await new Promise<number | null>((settle) => {
    child.once('error', () => settle(null));
    child.once('close', settle);
  });
  stopWatching();
  return tallyOfJest(readSummary(), code);
}

/** One counts for each promise: those that are met have passed. */
async function runProofs(): Promise<Tally> {
  rmSync(PROVED, { force: true });
  say('Promises …');
  const main = join(REPOSITORY, 'prove', 'dist', 'main.js');
  const child = spawn(process.execPath, [main, '--tier', 'pr', '--no-report', '--json', PROVED], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await new Promise<void>((settle) => {
    child.once('error', () => settle());
    child.once('close', () => settle());
  });
  try {
    return JSON.parse(readFileSync(PROVED, 'utf8')) as Tally;
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** A test that leaves something running keeps Jest from ending: that is a failure to be told, not a job to hang for hours. */
function killWhenStuck(child: ChildProcess): () => void {
  let doneSince: number | undefined;
  const watch = setInterval(() => {
    if (!existsSync(RESULTS)) return;
    doneSince ??= performance.now();
    if (performance.now() - doneSince < STUCK_AFTER_MS) return;
    say('Jest did not end after its last test: a test leaves something running. --detectOpenHandles tells what.');
    child.kill('SIGKILL');
  }, 1000);
  return () => clearInterval(watch);
}

function readSummary(): JestSummary | undefined {
  try {
    return JSON.parse(readFileSync(RESULTS, 'utf8')) as JestSummary;
  } catch {
    return undefined;
  }
}

function runQuietly(name: string, bin: string, args: readonly string[]): Promise<EndedCheck> {
  return new Promise((settle) => {
    const env = { ...process.env, NX_DAEMON: 'false' };
    const child = spawn(binOf(bin), args, { cwd: REPOSITORY, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.once('error', (error) => settle({ name, code: null, output: error.message }));
    child.once('close', (code) => settle({ name, code, output }));
  });
}

function binOf(name: string): string {
  return join(REPOSITORY, 'node_modules', '.bin', name);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  say(closingLine({ passed: 0, failed: 1 }));
  process.exitCode = exitCodeOf(error);
});
