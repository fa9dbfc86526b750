import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script and the hash under which Redis caches it. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha1: string;
}

// Beside src/ and dist/, so that the same relative path serves both.
const FOLDER = join(__dirname, '..', '..', 'lua');
const shared = readFileSync(join(FOLDER, 'job.lua'), 'utf8');

function load(name: string): Script {
  const text = `${shared}\n${readFileSync(join(FOLDER, `${name}.lua`), 'utf8')}`;
  return { name, text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** One script per transition of a job, drawn in docs/reference/lifecycle.md, and one that only reads. */
export const scripts = {
  enqueue: load('enqueue'),
  claim: load('claim'),
  settle: load('settle'),
  heartbeat: load('heartbeat'),
  saveStep: load('save-step'),
  promote: load('promote'),
  recover: load('recover'),
  release: load('release'),
  unpark: load('unpark'),
  erase: load('erase'),
  readQueue: load('read-queue'),
} as const;
