import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { claimDataFolder } from './data-folder.ts';

let work: string;

beforeEach(() => {
  work = mkdtempSync(join(tmpdir(), 'data-folder-'));
});

afterEach(() => {
  rmSync(work, { recursive: true });
});

test('a folder in use is refused until it is given back', () => {
  const folder = join(work, 'redis');
  const release = claimDataFolder(folder);
  expect(() => claimDataFolder(folder)).toThrow(`Process ${process.pid} uses`);
  release();
  claimDataFolder(folder)();
});

test('a folder whose user was killed is free', () => {
  const folder = join(work, 'redis');
  // Above the largest pid that Linux and macOS give.
  symlinkSync('4194305', `${folder}.lock`);
  claimDataFolder(folder)();
});
