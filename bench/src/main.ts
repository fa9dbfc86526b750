import { RedisNotFoundError } from '@coordinator/task-testing';
import { runFacts } from '@coordinator/tools';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { acceptSection } from './accept/accept-section.ts';
import { HELP, readOptions, type BenchOptions } from './bench-options.ts';
import { stopProcesses } from './bench-process.ts';
import { BenchRedis } from './bench-redis.ts';
import { reportOf, type Section } from './report/report.ts';
import { TraceSink } from './trace-sink.ts';
import { workSection } from './work/work-section.ts';

const REPORT = resolve(__dirname, '../../docs/benchmarks.md');
/** Part of the time that the first of two benchmarks may take. */
const FIRST_SHARE = 0.6;

let redis: BenchRedis | undefined;
let stopping = false;

async function run(options: BenchOptions): Promise<void> {
  const { rounds, requests, only, seconds, profile } = options;
  const endAt = (share: number) => performance.now() + seconds * 1_000 * share;
  const lastEndAt = endAt(1);
  const facts = await runFacts();
  redis = await BenchRedis.start();
  const sink = await TraceSink.start();
  const flags = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', resolve(profile)];
  const common = { redis, sink, rounds, flags, onProgress: say };

  const sections: Section[] = [];
  if (only !== 'work') {
    sections.push(await acceptSection({ ...common, requests, endAt: only ? lastEndAt : endAt(FIRST_SHARE) }));
  }
  if (only !== 'accept') sections.push(await workSection({ ...common, jobs: requests, endAt: lastEndAt }));

  const report = reportOf(sections, commandLine(), facts);
  process.stdout.write(`\n${report}`);
  if (only || profile) return;
  mkdirSync(dirname(REPORT), { recursive: true });
  writeFileSync(REPORT, report);
  say(`\nWritten to ${relative(process.cwd(), REPORT)}`);
}

function commandLine(): string {
  const args = process.argv.slice(2);
  return ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return;
  }
  try {
    await run(options);
  } finally {
    await stopAll();
  }
}

async function stopAll(): Promise<void> {
  await stopProcesses();
  await redis?.stop();
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1);
    stopping = true;
    void stopAll().finally(() => process.exit(130));
  });
}

main().catch((error: unknown) => {
  // What fails while everything is being stopped fails because of that.
  if (stopping) return;
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof RedisNotFoundError ? error.exitCode : 1;
});
