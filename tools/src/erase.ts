import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { coreConfig, readConfig } from '@coordinator/config';
import { createLogger, silentLogger, type Logger } from '@coordinator/logging';
import { releaseOf } from '@coordinator/process';
import { eraseSubject, RedisConnection, type Erasure } from '@coordinator/tasks';
import { rewriteAppendOnlyFile } from './append-only-file.ts';
import { ERASE_USAGE, eraseOptions, type EraseOptions } from './erase-options.ts';
import { countActions, drawErasures } from './erase-report.ts';
import { REPOSITORY } from './repository.ts';

const DEADLINE_MS = 10_000;
const CONNECT_MS = 5_000;

async function main(args: readonly string[]): Promise<void> {
  const options = eraseOptions(args);
  if (!options) return say(ERASE_USAGE);
  const { REDIS_URL: url } = readConfig([coreConfig.pick({ REDIS_URL: true })]);
  const connection = new RedisConnection({ url, log: silentLogger, commandDeadlineMs: DEADLINE_MS });
  try {
    await connect(connection, url);
    await erase(connection, options);
  } finally {
    connection.close();
  }
}

async function erase(connection: RedisConnection, options: EraseOptions): Promise<void> {
  const { subject, dryRun } = options;
  if (!dryRun && !options.yes) {
    const found = await eraseSubject(connection, { ...options, dryRun: true });
    say(`${drawErasures(found, true)}\n`);
    await confirm(subject);
  }
  const erasures = await eraseSubject(connection, options);
  if (erasures.length === 0) say(`Redis knows no job about ${subject}. Is it spelled as at acceptance?`);
  else say(drawErasures(erasures, dryRun));
  if (dryRun) return;
  logErasure(options, erasures);
  if (!options.rewrite) return;
  say('\nRedis rewrites its append-only file …');
  const rewritten = await rewriteAppendOnlyFile(connection);
  say(rewritten ? 'It holds only what is left.' : 'Redis keeps no append-only file: there is nothing to rewrite.');
}

/** To the standard error, where it does not disturb the table. */
function logErasure({ subject, why, by, forgetSubject }: EraseOptions, erasures: readonly Erasure[]): void {
  const destination = { write: (line: string) => void process.stderr.write(line) };
  const release = releaseOf(join(REPOSITORY, 'tools', 'src'));
  const log: Logger = createLogger({ service: 'coordinator-erase', release, destination });
  const who = forgetSubject ? {} : { subject };
  log.warn({ ...who, why, by, jobs: erasures.length, ...countActions(erasures) }, 'erased a subject');
}

async function connect(connection: RedisConnection, url: string): Promise<void> {
  const { host } = new URL(url);
  // Connecting has no end of its own while nobody answers.
  const deadline = setTimeout(() => connection.close(), CONNECT_MS);
  try {
    await connection.connect();
  } catch {
    throw new Error(`No Redis answers at ${host} within ${CONNECT_MS / 1_000} s. Is REDIS_URL right?`);
  } finally {
    clearTimeout(deadline);
  }
}

async function confirm(subject: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Error('Nothing was erased: nobody can be asked here. Add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question('This cannot be undone. Type the subject to go on: ');
  terminal.close();
  if (answer.trim() !== subject) throw new Error('Nothing was erased.');
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
