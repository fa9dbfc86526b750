import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { WorkspaceCopy } from './fixtures/workspace-copy.ts';
import { planImages } from './image-plan.ts';

let workspace: WorkspaceCopy;
beforeAll(() => {
  workspace = new WorkspaceCopy();
  workspace.commit('feat: sources', {
    'apps/coordinator-api/src/main.ts': 'listen();',
    'apps/coordinator-worker/src/main.ts': 'work();',
    'libs/tasks/src/task.ts': 'export {};',
    'libs/task-testing/src/harness.ts': 'export {};',
  });
  workspace.tag('v0.1.0');
});
beforeEach(() => void workspace.git.run('reset', '--quiet', '--hard', 'v0.1.0'));
afterAll(() => workspace.remove());

/** What becomes of the images of API and worker after a commit with these files. */
function planAfter(files: Record<string, string>) {
  workspace.commit('fix: something', files);
  const plans = planImages(workspace.git, 'v0.1.0').filter(({ app }) => app !== 'sandbox');
  return Object.fromEntries(plans.map(({ app, action, changed }) => [app, [action, changed]]));
}

const RETAG = ['re-tag', []];

describe('the image of an app', () => {
  test('is built for the first release', () => {
    expect(planImages(workspace.git, undefined).map(({ action }) => action)).toEqual(['build', 'build', 'build']);
  });

  test('is built when its own sources change, and the other one is re-tagged', () => {
    const file = 'apps/coordinator-worker/src/main.ts';
    expect(planAfter({ [file]: 'work(harder);' })).toEqual({
      'coordinator-api': RETAG,
      'coordinator-worker': ['build', [file]],
    });
  });

  test.each([
    'libs/tasks/src/task.ts',
    'libs/tasks/lua/claim.lua',
    'extensions/stripe/src/new.ts',
    'tsconfig.base.json',
  ])('is built when %s changes, as the other one is', (file) => {
    const built = ['build', [file]];
    expect(planAfter({ [file]: '-' })).toEqual({ 'coordinator-api': built, 'coordinator-worker': built });
  });

  test.each([
    'docs/guides/run-it.md',
    'README.md',
    'libs/tasks/src/task.test.ts',
    'libs/task-testing/src/harness.ts',
    'apps/sandbox/src/main.ts',
    'e2e/src/order.test.ts',
    'examples/warehouse/src/index.ts',
  ])('is re-tagged when only %s changes', (file) => {
    expect(planAfter({ [file]: '-' })).toEqual({ 'coordinator-api': RETAG, 'coordinator-worker': RETAG });
  });

  test('is built when an npm package that it runs with changes, however deep down', () => {
    const lock = JSON.parse(workspace.read('package-lock.json')) as { packages: Record<string, { version: string }> };
    // Express and what it needs are in the API alone; jest is in neither.
    for (const name of ['body-parser', 'jest']) lock.packages[`node_modules/${name}`]!.version = '99.0.0';
    expect(planAfter({ 'package-lock.json': JSON.stringify(lock) })).toEqual({
      'coordinator-api': ['build', ['node_modules/body-parser']],
      'coordinator-worker': RETAG,
    });
  });

  test('is built when its manifest changes in more than versions', () => {
    const manifest = JSON.parse(workspace.read('libs/tasks/package.json')) as object;
    const write = (changes: object) => ({ 'libs/tasks/package.json': JSON.stringify({ ...manifest, ...changes }) });
    expect(planAfter(write({ version: '0.1.1' }))).toEqual({ 'coordinator-api': RETAG, 'coordinator-worker': RETAG });
    expect(planAfter(write({ type: 'module' }))['coordinator-worker']).toEqual(['build', ['libs/tasks/package.json']]);
  });
});
