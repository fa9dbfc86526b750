import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../repository.ts';
import { type AuditResult, readAudit } from './audit.ts';
import { dependenciesCommand } from './dependencies-command.ts';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'dependencies-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function check(where: string, answer: AuditResult = { faults: [] }, ...args: string[]) {
  const said: string[] = [];
  const code = dependenciesCommand(
    args,
    (text) => said.push(text),
    where,
    () => answer,
  );
  return { code, said: said.join('\n') };
}

/** The check of a lock with one package in it. */
function checkLocked(locked: object, answer?: AuditResult, user = 'libs/tasks') {
  const sound = { version: '1.0.0', integrity: 'sha512-AAAA', license: 'MIT' };
  const packages = {
    '': {},
    [user]: { dependencies: { 'left-pad': '1.0.0' } },
    'node_modules/left-pad': { ...sound, ...locked },
  };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages }));
  return check(folder, answer);
}

test('what this workspace is made of has no fault', () => {
  expect(check(REPOSITORY, undefined, '--offline')).toEqual({
    code: 0,
    said: 'lock: no fault\nlicenses: no fault\naudit: SKIPPED: asked for by --offline',
  });
});

test('an unknown option is refused with those there are', () => {
  expect(() => check(REPOSITORY, undefined, '--ofline')).toThrow(/Unknown option '--ofline'[^]*--offline +do not ask/);
});

describe('a package is a fault', () => {
  test.each([
    [{ integrity: undefined }, 'has no sha512 integrity'],
    [{ integrity: 'sha1-AAAA' }, 'has no sha512 integrity'],
    [{ resolved: 'git+ssh://git@example.test/left-pad.git' }, 'is bound to git+ssh://git@example.test/left-pad.git'],
    [{ license: undefined }, 'tells no license'],
    [{ license: 'GPL-3.0-only' }, 'has the license GPL-3.0-only'],
    [{ license: 'MIT AND GPL-3.0-only' }, 'has the license MIT AND GPL-3.0-only'],
    [{ license: 'SEE LICENSE IN terms.txt' }, 'has the license SEE LICENSE IN terms.txt'],
    [{ license: 'Python-2.0' }, 'has the license Python-2.0'],
  ])('when its entry says %j', (locked, words) => {
    const { code, said } = checkLocked(locked);
    expect(code).toBe(1);
    expect(said).toContain(`: 1 fault\n  node_modules/left-pad ${words}`);
  });

  test('not when it offers a choice, or is used by tools that are passed on to nobody', () => {
    expect(checkLocked({ license: 'GPL-3.0-only OR MIT' }).code).toBe(0);
    expect(checkLocked({ license: 'Python-2.0' }, undefined, 'tools').code).toBe(0);
  });
});

describe('the audit', () => {
  const report = (severity: string) =>
    JSON.stringify({
      auditReportVersion: 2,
      vulnerabilities: {
        'left-pad': {
          severity,
          range: '<1.0.1',
          via: ['pad', { title: 'It pads too much', url: 'https://example.test/1' }],
        },
      },
    });

  test('fails for a vulnerability that is high, and lets a lower one pass', () => {
    const { code, said } = checkLocked({}, readAudit(report('high')));
    expect(code).toBe(1);
    expect(said).toContain('  left-pad <1.0.1 (high): pad; It pads too much https://example.test/1');
    expect(checkLocked({}, readAudit(report('moderate'))).code).toBe(0);
  });

  test.each([
    ['{"message":"request to https://registry.example.test failed, reason: connect ECONNREFUSED"}', 'ECONNREFUSED'],
    [
      '{"message":"405 Method Not Allowed - POST https://registry.example.test","statusCode":405}',
      '405 Method Not Allowed',
    ],
    ['', 'npm audit printed no report'],
  ])('is skipped with a clear line where npm prints %j', (printed, words) => {
    const { code, said } = checkLocked({}, readAudit(printed));
    expect(code).toBe(0);
    expect(said).toMatch(/^audit: SKIPPED: /m);
    expect(said).toContain(words);
  });
});
