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

/** Redis 7 lets these scripts write while it is full: what is stored already must be able to move on and end. */
const WHEN_FULL = '#!lua flags=allow-oom';

function load(name: string, when = WHEN_FULL, shared = ['job']): Script {
  const text = [when, ...[...shared, name].map((part) => readFileSync(join(FOLDER, `${part}.lua`), 'utf8'))].join('\n');
  return { name, text, sha1: createHash('sha1').update(text).digest('hex') };
}

const AUDIT = ['job', 'audit'];

/** One script per transition of a job, drawn in docs/reference/lifecycle.md, one that only reads, and those of the audit. */
export const scripts = {
  // Refused by a full Redis before it has written anything.
  enqueue: load('enqueue', '#!lua'),
  claim: load('claim'),
  settle: load('settle'),
  heartbeat: load('heartbeat'),
  saveStep: load('save-step'),
  promote: load('promote'),
  recover: load('recover'),
  release: load('release'),
  unpark: load('unpark'),
  cancel: load('cancel'),
  readQueue: load('read-queue'),
  auditBooks: load('audit-books', WHEN_FULL, AUDIT),
  auditIndex: load('audit-index', WHEN_FULL, AUDIT),
  auditRecords: load('audit-records', WHEN_FULL, AUDIT),
  auditJob: load('audit-job', WHEN_FULL, AUDIT),
} as const;
