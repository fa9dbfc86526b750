import { findRedisServer, RedisNotFoundError } from '@coordinator/task-testing';
import { REPOSITORY } from '@coordinator/tools';
import { Findings } from '../finding.ts';
import { rehearsalReport } from './rehearsal-report.ts';
import { HELP, readRehearseOptions, type RehearseOptions } from './rehearse-options.ts';
import { ReleaseStack } from './release-stack.ts';
import { rollOut, type Stage, type TwoReleases } from './roll-out.ts';
import { CHANGE, ScratchClone, type ToldRelease } from './scratch-clone.ts';
import { settleRehearsal } from './settle-rehearsal.ts';
import { messageOf, rehearsalRefusals } from './surroundings.ts';

const BROKEN = 1;
const NOT_REHEARSED = 2;

const clone = new ScratchClone();
const stack = new ReleaseStack();

/** Two releases, made and written down. */
interface MadeReleases extends TwoReleases {
  readonly affected: readonly string[];
  readonly told: ToldRelease;
}

/** Returns the exit code. @throws Error when there is nothing that could be rolled out */
async function main(): Promise<number> {
  const options = readRehearseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const refusals = rehearsalRefusals(REPOSITORY);
  if (refusals.length > 0) throw new Error(refusals.map((refusal) => `  - ${refusal}`).join('\n'));
  await findRedisServer({ log: say });
  try {
    const findings = new Findings();
    const releases = await makeReleases(findings);
    const stages = await rehearse(releases, options, findings);
    const change = { message: CHANGE.message, affected: releases.affected };
    const report = rehearsalReport({ change, older: releases.older, newer: releases.told, stages, findings });
    process.stdout.write(`\n${report}\n`);
    return findings.broken.length === 0 ? 0 : BROKEN;
  } finally {
    await cleanUp();
  }
}

/** From what is committed to two releases, each with what is deployed of it. */
async function makeReleases(findings: Findings): Promise<MadeReleases> {
  await step('a clone of what is committed', () => clone.make());
  const first = await step('npm run release, of what is there', () => clone.release());
  const version = first?.version ?? clone.version();
  const older = await step(`the trees of ${version}`, () => clone.writeTrees(version));
  await step(`a commit: ${CHANGE.message}`, () => clone.commitChange());
  const affected = await step('what it affects', () => clone.affected());
  const missed = [CHANGE.project, '@coordinator/coordinator-api', '@coordinator/coordinator-worker'].filter(
    (name) => !affected.includes(name),
  );
  findings.expect('projects missing in what is affected', missed.length, { is: 0 });
  const needless = ['@coordinator/tasks', '@coordinator/extension-segment'].filter((name) => affected.includes(name));
  findings.expect('projects that are not affected and are said to be', needless.length, { is: 0 });
  await step('the tests of the extension', () => clone.testChange());
  const told = await step('npm run release, of the commit', () => clone.release());
  if (!told) throw new Error('npm run release sees nothing to release in the commit');
  await checkRelease(version, told, findings);
  const newer = await step(`the trees of ${told.version}`, () => clone.writeTrees(told.version));
  const releases = { older: { version, trees: older }, newer: { version: told.version, trees: newer } };
  return { ...releases, affected, told };
}

async function checkRelease(before: string, told: ToldRelease, findings: Findings): Promise<void> {
  const tagged = await clone.tagged(told.tag);
  findings.expect('releases without a tag', tagged.includes(`build(release): ${told.tag}`) ? 0 : 1, { is: 0 });
  findings.expect('releases under the version before', told.version === before ? 1 : 0, { is: 0 });
  const [, description = ''] = CHANGE.message.split(': ');
  const inChangelog = clone.changelog().includes(description) && clone.changelog().includes(told.version);
  findings.expect('changes missing in the changelog', inChangelog ? 0 : 1, { is: 0 });
  const deployed = ['coordinator-api', 'coordinator-worker'];
  const kept = told.images.filter(({ app, action }) => deployed.includes(app) && action !== 'build').length;
  findings.expect('images with the change that are not built', kept, { is: 0 });
}

async function rehearse(releases: TwoReleases, options: RehearseOptions, findings: Findings): Promise<Stage[]> {
  await step(`2 APIs and 2 workers of ${releases.older.version}`, () => stack.start(releases.older.trees));
  const { rate: ratePerSecond, orders: ordersPerStage } = options;
  const stages: Stage[] = [];
  try {
    say(`the roll-out, under ${ratePerSecond} orders a second`);
    await rollOut(stack, releases, { ratePerSecond, ordersPerStage, say, onStage: (stage) => stages.push(stage) });
    await step('the accounts', () => settleRehearsal(stack, releases, stages, findings));
  } catch (error) {
    // What was rolled out and did not come to its end is a finding, and no fault of the surroundings.
    say(messageOf(error));
    findings.expect('roll-outs that did not come to their end', 1, { is: 0 });
  }
  return stages;
}

async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  say(title);
  const startedAt = performance.now();
  const result = await work();
  say(`    done in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

async function cleanUp(): Promise<void> {
  await stack.stop();
  clone.remove();
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

for (const [signal, exitCode] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, () => {
    say('interrupted: removing what was made');
    void cleanUp().finally(() => process.exit(exitCode));
  });
}

main().then(
  (exitCode) => (process.exitCode = exitCode),
  (error: unknown) => {
    say(`Not rehearsed:\n${messageOf(error)}`);
    process.exitCode = error instanceof RedisNotFoundError ? error.exitCode : NOT_REHEARSED;
  },
);
