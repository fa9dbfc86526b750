import { findRedisServer, RedisNotFoundError } from '@coordinator/task-testing';
import { REPOSITORY, runFacts, textTable } from '@coordinator/tools';
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provePlanted } from './planted/prove-planted.ts';
import { proofs } from './promises/index.ts';
import type { Proof } from './proof.ts';
import { HELP, readOptions, type ProveOptions } from './prove-options.ts';
import { reliabilityReport, sentence } from './report/reliability.ts';
import { HEAD, resultRows } from './report/result-table.ts';
import { runProof, type ProofResult } from './run-proof.ts';

const REPORT = join(REPOSITORY, 'docs', 'reliability.md');

const interrupted = new AbortController();

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(`${HELP}\n`);
  await findRedisServer({ log: say });
  const seed = options.seed ?? randomInt(2 ** 31);
  const { passed, failed } = options.planted ? await plant(options, seed) : await prove(options, seed);
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ passed, failed }));
  process.exitCode = failed > 0 || interrupted.signal.aborted ? 1 : 0;
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

async function prove(options: ProveOptions, seed: number): Promise<Outcome> {
  const { tier, report, full } = options;
  const facts = await runFacts();
  say(`seed ${seed}, tier ${tier}`);
  const results: ProofResult[] = [];
  for (const proof of chosen(options)) {
    if (interrupted.signal.aborted) break;
    const size = full.includes(proof.id) ? 'nightly' : tier;
    const result = await runProof(proof, { tier: size, seed, say, signal: interrupted.signal });
    results.push(result);
    say(`${proof.id} ${proof.title}: ${sentence(result)}`);
    // What a process said before it ended is not for the report, and is all that there is to go by.
    for (const line of (result.why ?? '').split('\n').slice(1)) say(`  ${line}`);
  }
  process.stdout.write(`\n${textTable(HEAD, resultRows(results))}\n\nseed ${seed}, commit ${facts.commit}\n`);
  if (report && !interrupted.signal.aborted) {
    const command = [
      'npm run prove --',
      `--tier ${tier}`,
      ...(options.only.length > 0 ? [`--only ${options.only.join()}`] : []),
      ...(options.all ? ['--all'] : []),
      ...(full.length > 0 ? [`--full ${full.join()}`] : []),
    ];
    writeFileSync(REPORT, reliabilityReport({ command: command.join(' '), seed, facts, results, proofs }));
    say('Written to docs/reliability.md');
  }
  const failed = results.filter(({ verdict }) => verdict === 'broken' || verdict === 'not-shown').length;
  return { passed: results.filter(({ verdict }) => verdict === 'met').length, failed };
}

async function plant({ only }: ProveOptions, seed: number): Promise<Outcome> {
  const found = await provePlanted({ only, seed, say, signal: interrupted.signal });
  const rows = found.map(({ bug, red, why }) => [bug.promise, bug.name, red ? 'found' : 'NOT FOUND', why]);
  process.stdout.write(`\n${textTable(['promise', 'planted bug', 'verdict', 'because'], rows)}\n`);
  return { passed: found.filter(({ red }) => red).length, failed: found.filter(({ red }) => !red).length };
}

function chosen({ only, all, tier }: ProveOptions): readonly Proof[] {
  const unknown = only.filter((id) => !proofs.some((proof) => proof.id === id));
  if (unknown.length > 0) throw new Error(`There is no proof of ${unknown.join(', ')}`);
  if (only.length > 0) return proofs.filter(({ id }) => only.includes(id));
  if (tier === 'weekly') return proofs.filter(({ weekly }) => weekly);
  return proofs.filter((proof) => all || tier === 'nightly' || proof.tier === 'pr');
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.signal.aborted) process.exit(1);
    interrupted.abort();
  });
}

main().catch((error: unknown) => {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof RedisNotFoundError ? error.exitCode : 1;
});
