import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Lua script and the hash under which Redis caches it. */
export interface Script {
  readonly name: string;
  readonly text: string;
  readonly sha1: string;
}

/** Redis 7 lets such a script write while it is full: what is stored already must be able to move on and end. */
const WHEN_FULL = '#!lua flags=allow-oom';

/** Reads `<name>.lua` of a folder, behind what it shares with other scripts there. @throws Error ENOENT */
export function loadScript(folder: string, name: string, shared: readonly string[] = [], flags = WHEN_FULL): Script {
  const parts = [...shared, name].map((part) => readFileSync(join(folder, `${part}.lua`), 'utf8'));
  const text = [flags, ...parts].join('\n');
  return { name, text, sha1: createHash('sha1').update(text).digest('hex') };
}

// Beside src/ and dist/, so that the same relative path serves both.
const FOLDER = join(__dirname, '..', '..', 'lua');
const load = (name: string, flags?: string): Script => loadScript(FOLDER, name, ['job'], flags);
const loadClaim = (name: string): Script => loadScript(FOLDER, name, ['job', 'lease']);
const loadAudit = (name: string): Script => loadScript(FOLDER, name, ['job', 'audit']);

/** One script per transition of a job, drawn in docs/reference/lifecycle.md, two of schedules, the layout's, one of the audit log, one that only reads, and those of the audit. */
export const scripts = {
  // These are refused by a full Redis before they have written anything.
  enqueue: load('enqueue', '#!lua'),
  fireSchedule: load('fire-schedule', '#!lua'),
  claim: loadClaim('claim'),
  claimParked: loadClaim('claim-parked'),
  settle: load('settle'),
  heartbeat: load('heartbeat'),
  saveStep: load('save-step'),
  promote: load('promote'),
  recover: load('recover'),
  release: load('release'),
  cancel: load('cancel'),
  replay: load('replay'),
  keepSchedules: load('keep-schedules'),
  keepLayout: load('keep-layout'),
  erase: load('erase'),
  note: load('note'),
  readQueue: load('read-queue'),
  auditBooks: loadAudit('audit-books'),
  auditIndex: loadAudit('audit-index'),
  auditRecords: loadAudit('audit-records'),
  auditJob: loadAudit('audit-job'),
  auditKeys: loadAudit('audit-keys'),
  auditMemberships: loadAudit('audit-memberships'),
  auditTimeline: loadAudit('audit-timeline'),
} as const;
