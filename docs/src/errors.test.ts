import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCodes } from '@coordinator/tasks';

const documented = readFileSync(join(__dirname, '../reference/errors.md'), 'utf8');

test('every code stands in docs/reference/errors.md with its status and meaning, and no other code does', () => {
  const rows = Object.entries(errorCodes).map(
    ([code, { status, retryable, title }]) => `\`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${title}`,
  );
  const documentedRows = Array.from(documented.matchAll(/^\| (`COORD_.*?) *\|$/gm), ([, row]) =>
    (row as string).replaceAll(/ +\| +/g, ' | '),
  );
  expect(documentedRows.sort()).toEqual(rows.sort());
});
