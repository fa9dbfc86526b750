import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { REPOSITORY } from '@coordinator/tools';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Findings } from '../finding.ts';
import { rehearsalReport } from './rehearsal-report.ts';
import { readRehearseOptions } from './rehearse-options.ts';
import { PATCH, type ToldRelease } from './scratch-clone.ts';
import { messageOf, rehearsalRefusals } from './surroundings.ts';

describe('the command line', () => {
  test('takes a rate and how many orders a stage serves', () => {
    expect(readRehearseOptions([])).toEqual({ help: false, rate: 20, orders: 100 });
    expect(readRehearseOptions(['--rate', '5', '--orders=7'])).toMatchObject({ rate: 5, orders: 7 });
  });

  test.each([
    [['--rate', '0'], /--rate takes a whole number of at least 1, and not "0"/],
    [['--orders', 'many'], /--orders takes a whole number/],
    [['--fast'], /--fast/],
  ])('refuses %j', (args, message) => {
    expect(() => readRehearseOptions(args)).toThrow(message);
  });
});

describe('the surroundings', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coordinator-surroundings-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Without the settings of whoever runs this. */
  function git(...args: string[]): void {
    const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.test', '-c', 'commit.gpgsign=false'];
    execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'ignore' });
  }

  function commitFile(text: string): void {
    writeFileSync(join(folder, 'file'), text);
    git('add', '--all');
    git('commit', '--quiet', '--message', text);
  }

  test('are a clean git checkout with its whole history', () => {
    git('init', '--quiet');
    commitFile('one');
    expect(rehearsalRefusals(folder)).toEqual([]);
  });

  test('are refused without a checkout, or without a commit', () => {
    expect(rehearsalRefusals(folder)).toEqual([expect.stringMatching(/no git checkout/)]);
    git('init', '--quiet');
    expect(rehearsalRefusals(folder)).toEqual([expect.stringMatching(/no git checkout with a commit/)]);
  });

  test('are refused with changes that would not be rehearsed', () => {
    git('init', '--quiet');
    commitFile('one');
    writeFileSync(join(folder, 'new'), '');
    expect(rehearsalRefusals(folder)).toEqual([expect.stringMatching(/not committed.*Commit or stash/)]);
  });

  test('are refused as a shallow clone', () => {
    git('init', '--quiet', 'whole');
    const shallow = join(folder, 'shallow');
    for (const text of ['one', 'two']) git('-C', 'whole', 'commit', '--quiet', '--allow-empty', '--message', text);
    git('clone', '--quiet', '--depth=1', `file://${join(folder, 'whole')}`, shallow);
    expect(rehearsalRefusals(shallow)).toEqual([expect.stringMatching(/git fetch --unshallow --tags/)]);
  });

  test('that npm cannot work in are told with what to do, and other errors as they are', () => {
    const offline = new Error('npm ci failed in /tmp/x:\nnpm error code EAI_AGAIN');
    expect(messageOf(offline)).toMatch(/^npm has not reached its registry.*go online[^]*EAI_AGAIN/);
    expect(messageOf(new Error('node_modules/.bin/jest failed: ECONNREFUSED'))).toMatch(/^node_modules/);
  });
});

test('the change that is rehearsed fits the extension as it is', () => {
  // Make the patch anew when it does not: change the extension, git diff -U1, undo.
  execFileSync('git', ['apply', '--check', PATCH], { cwd: REPOSITORY });
});

describe('the report', () => {
  const newer: ToldRelease = {
    ...{ version: '0.2.0', tag: 'v0.2.0', changelog: '## 0.2.0\n\n- a feature\n' },
    images: [
      { app: 'coordinator-worker', action: 'build' },
      { app: 'sandbox', action: 'keep' },
    ],
  };
  const change = { message: 'feat(lms): a feature', affected: ['worker', 'lms'] };
  const stage = { title: 'workers of both', releases: ['0.2.0', '0.2.0', '0.2.0', '0.1.0'] };
  const stages = [{ ...stage, accepted: 40, effects: 31, parked: 9 }];

  function report(lost: number): string {
    const findings = new Findings();
    findings.expect('orders lost', lost, { is: 0 });
    return rehearsalReport({ change, older: { version: '0.1.0' }, newer, stages, findings });
  }

  test('tells the story from the commit to the accounts', () => {
    const text = report(0);
    for (const part of [
      /feat\(lms\): a feature/,
      /2 projects: worker, lms/,
      /0\.1\.0 -> 0\.2\.0, tag v0\.2\.0/,
      /coordinator-worker build, sandbox keep; run here as process trees/,
      / {4}- a feature/,
      /workers of both +0\.2\.0 0\.2\.0 +0\.2\.0 0\.1\.0 +40 +31 +9/,
      /ok {6}orders lost 0/,
    ]) {
      expect(text).toMatch(part);
    }
    expect(text.split('\n').at(-1)).toBe('The rehearsal went well: nothing was lost.');
  });

  test('says what is broken, and ends with it', () => {
    const text = report(3);
    expect(text).toMatch(/BROKEN {2}orders lost 3/);
    expect(text.split('\n').at(-1)).toBe('The rehearsal failed: 1 broken.');
  });
});
