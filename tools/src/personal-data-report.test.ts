import { Registry } from '@coordinator/extension';
import { installed } from '@coordinator/installed-extensions';
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { personalDataReport } from './personal-data-report.ts';

test('docs/reference/personal-data.md is what the installed extensions declare: npm run --silent personal-data', () => {
  const documented = readFileSync(join(__dirname, '../../docs/reference/personal-data.md'), 'utf8');
  expect(documented).toBe(`${personalDataReport(new Registry(installed))}\n`);
});
