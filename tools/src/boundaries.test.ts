import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';

const ROOT = resolve(__dirname, '../..');

const EXTENSION = 'extensions/orders/src/index.ts';
const ENGINE = 'libs/events/src/index.ts';

/** Code to lint as if it stood in a file, and the rule that has to object. */
const refused: [what: string, file: string, code: string, rule: string][] = [
  [
    'an extension that imports another extension',
    EXTENSION,
    "import * as other from '@coordinator/extension-stripe';\nexport const x = other;\n",
    '@nx/enforce-module-boundaries',
  ],
  [
    'an extension that goes round its front door',
    EXTENSION,
    "import * as tasks from '@coordinator/tasks';\nexport const x = tasks;\n",
    '@nx/enforce-module-boundaries',
  ],
  [
    'an extension whose product code uses the test harness',
    EXTENSION,
    "import * as testing from '@coordinator/task-testing';\nexport const x = testing;\n",
    '@nx/enforce-module-boundaries',
  ],
  [
    'a lib at the bottom that imports the engine',
    'libs/logging/src/index.ts',
    "import * as tasks from '@coordinator/tasks';\nexport const x = tasks;\n",
    '@nx/enforce-module-boundaries',
  ],
  [
    'an import of bee-queue outside its folder',
    ENGINE,
    "import Queue from 'bee-queue';\nexport const x = Queue;\n",
    '@typescript-eslint/no-restricted-imports',
  ],
  [
    'an import of the OpenTelemetry SDK outside libs/tracing',
    ENGINE,
    "import { NodeSDK } from '@opentelemetry/sdk-node';\nexport const x = NodeSDK;\n",
    '@typescript-eslint/no-restricted-imports',
  ],
  [
    'an extension that calls a service without a DownstreamClient',
    EXTENSION,
    "import { request } from 'undici';\nexport const x = request;\n",
    '@typescript-eslint/no-restricted-imports',
  ],
  [
    'a static import of a handler',
    EXTENSION,
    "import { refund } from './handlers/refund.ts';\nexport const x = refund;\n",
    '@typescript-eslint/no-restricted-imports',
  ],
  [
    'a promise that nobody waits for',
    ENGINE,
    'export function forget(): void {\n  Promise.resolve(1);\n}\n',
    '@typescript-eslint/no-floating-promises',
  ],
  [
    'a switch that forgets a case',
    ENGINE,
    "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 0;\n}\n",
    '@typescript-eslint/switch-exhaustiveness-check',
  ],
];

/** Code that has to pass: the rules close doors, not the ways that are meant to be used. */
const allowed: [what: string, file: string, code: string][] = [
  [
    'a lazy import of a handler',
    EXTENSION,
    "export const load = (): Promise<unknown> => import('./handlers/refund.ts');\n",
  ],
  [
    'an extension that uses its front door',
    EXTENSION,
    "import * as kit from '@coordinator/extension';\nexport const x = kit;\n",
  ],
  [
    'the home of bee-queue importing it',
    'libs/tasks/src/bee-queue/reliable-queue.ts',
    "import Queue from 'bee-queue';\nexport const x = Queue;\n",
  ],
  [
    'a test at the bottom using the harness that is built on top of it',
    'libs/logging/src/mask.test.ts',
    "import * as testing from '@coordinator/task-testing';\nexport const x = testing;\n",
  ],
];

interface LintMessage {
  ruleId: string | null;
  message: string;
}

// In a process of its own, for Jest cannot load an ESLint configuration that is an ES module.
const LINT = `
  import { ESLint } from 'eslint';
  const cases = JSON.parse(process.argv[1]);
  const eslint = new ESLint();
  const results = [];
  for (const [, filePath, code] of cases) {
    const [result] = await eslint.lintText(code, { filePath });
    results.push(result.messages.map(({ ruleId, message }) => ({ ruleId, message })));
  }
  process.stdout.write(JSON.stringify(results));`;

function lint(cases: readonly (readonly string[])[]): LintMessage[][] {
  const args = ['--input-type=module', '--eval', LINT, JSON.stringify(cases)];
  // In CI the parser takes a file for what lies on the disk, whatever text it is given.
  const env = { ...process.env, TSESTREE_SINGLE_RUN: 'false' };
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, env, encoding: 'utf8' })) as LintMessage[][];
}

describe('the rules of the house', () => {
  let messages: LintMessage[][] = [];

  beforeAll(() => {
    // The boundary rule keeps silent, instead of failing, as long as Nx has not written down its project graph.
    const nx = resolve(ROOT, 'node_modules/.bin/nx');
    const env = { ...process.env, NX_DAEMON: 'false' };
    execFileSync(process.execPath, [nx, 'show', 'projects'], { cwd: ROOT, env, stdio: 'ignore' });
    messages = lint([...refused, ...allowed]);
  }, 120_000);

  test.each(refused.map(([what, , , rule], index) => [what, rule, index] as const))(
    'refuse %s',
    (_what, rule, index) => {
      expect(messages[index]?.map(({ ruleId }) => ruleId)).toContain(rule);
    },
  );

  test.each(allowed.map(([what], index) => [what, refused.length + index] as const))('allow %s', (_what, index) => {
    expect(messages[index]).toEqual([]);
  });
});
