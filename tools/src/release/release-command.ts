import { parseArgs } from 'node:util';
import { Git } from './git.ts';
import { makeRelease } from './make-release.ts';
import { lastRelease, planRelease } from './release-plan.ts';
import { releaseRefusals } from './release-refusals.ts';
import { releaseText } from './release-text.ts';

const USAGE = `Usage: npm run release -- [version] [options]

Makes a release of what is checked out: one version for all apps, libraries and extensions, an entry in CHANGELOG.md, a
commit and a tag. Nothing is pushed or published.
  version      take this one, such as 1.0.0, in place of the one that the commits since the last release ask for
  --dry-run    only show it: version, changelog, and which images are built or re-tagged
  --json       show it as JSON; null where there is nothing to release
  --tested     this content has passed its tests elsewhere, such as in CI: do not ask for npm test here
Exit code: 0 done; 1 there is nothing to release; 2 it was refused or failed, and nothing has changed.`;

/** `npm run release` in a checkout; returns its exit code. @throws Error when it is refused, or fails */
export function releaseCommand(args: string[], say: (text: string) => void, folder: string): number {
  const { values, version } = readArguments(args);
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const git = new Git(folder);
  const plan = planRelease(git, { version, date: new Date().toISOString().slice(0, 10) });
  if (!plan) {
    const since = `nothing that is run has changed since ${lastRelease(git, 'HEAD')}`;
    say(values.json ? 'null' : `There is nothing to release: ${since}. Give a version to force it.`);
    return 1;
  }
  const refusals = releaseRefusals(git, plan, { tested: values.tested });
  say(values.json ? JSON.stringify({ ...plan, refusals }, null, 2) : releaseText(plan));
  const reasons = refusals.map((refusal) => `  - ${refusal}`).join('\n');
  if (values['dry-run']) {
    if (refusals.length > 0 && !values.json) say(`A release would be refused now:\n${reasons}`);
    return 0;
  }
  if (refusals.length > 0) throw new Error(`Not released:\n${reasons}`);
  makeRelease(git, plan);
  const branch = git.run('rev-parse', '--abbrev-ref', 'HEAD');
  if (!values.json) {
    say(`Released as ${plan.tag}. To hand it on: git push --atomic origin ${branch} ${plan.tag}`);
    say('Its images: npm run images -- --release');
  }
  return 0;
}

function readArguments(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { 'dry-run': flag, json: flag, tested: flag, help: { ...flag, short: 'h' } },
    });
    if (positionals.length > 1) throw new Error('One version at most.');
    return { values, version: positionals[0]?.replace(/^v/, '') };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}
