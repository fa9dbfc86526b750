import { expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PINNED = '123722e56b05c447c52654fe17a0b677d499faa68159aba4770b7dbc27862194';

// ReliableQueue overrides private methods: a change in them must be read before it is trusted.
test("bee-queue's code is the one that ReliableQueue was written for", () => {
  const folder = join(dirname(require.resolve('bee-queue/package.json')), 'lib');
  const hash = createHash('sha256');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files) hash.update(file.slice(folder.length)).update(readFileSync(file));
  expect(hash.digest('hex')).toBe(PINNED);
});
