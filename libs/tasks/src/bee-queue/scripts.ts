import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script and the hash under which Redis caches it. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha1: string;
}

/** Reads `<name>.lua` of a folder, behind what it shares with other scripts there. @throws Error ENOENT */
export function loadScript(folder: string, name: string, shared: readonly string[] = []): Script {
  const text = [...shared, name].map((part) => readFileSync(join(folder, `${part}.lua`), 'utf8')).join('\n');
  return { name, text, sha1: createHash('sha1').update(text).digest('hex') };
}

// Beside src/ and dist/, so that the same relative path serves both.
const FOLDER = join(__dirname, '..', '..', 'lua');
const load = (name: string): Script => loadScript(FOLDER, name, ['job']);

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
  readQueue: load('read-queue'),
} as const;
