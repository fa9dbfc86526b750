import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { REPOSITORY } from '../repository.ts';
import { deployed } from './yaml-file.ts';

const file = readFileSync(deployed('redis/users.acl'), 'utf8');
const users = new Map(
  file
    .trim()
    .split('\n')
    .map((line) => /^user (\S+) ([^(]*?)(?: \(([^)]*)\))?$/.exec(line) ?? [])
    .map(([, name = '', rules = '', onAuditLog = '']) => [
      name,
      { rules: rules.split(' '), onAuditLog: onAuditLog.split(' ') },
    ]),
);

const folders = { tasks: join(REPOSITORY, 'libs/tasks/lua'), downstream: join(REPOSITORY, 'libs/downstream/lua') };
/** What is put before a script, see loadScript. */
const shared: Readonly<Record<string, readonly string[]>> = {
  audit: ['job', 'audit'],
  claim: ['job', 'lease'],
  tasks: ['job'],
  downstream: ['downstream'],
};

/** How dead letters and jobs in a state are listed. */
const LISTING = ['zrange', 'zcount', 'zrangebyscore', 'zrevrangebyscore'];

/** Which scripts a role runs, and which commands besides. */
const roles = {
  'coordinator-api': {
    scripts: [
      ...['enqueue', 'keep-layout', 'cancel', 'replay', 'erase', 'note', 'read-queue', 'audit-books'].map(
        (name) => `tasks/${name}`,
      ),
      'downstream/describe',
    ],
    commands: ['set', 'wait', 'hgetall', 'lpos', 'lrange', 'smembers', 'xrevrange', ...LISTING],
  },
  'coordinator-worker': {
    scripts: [
      ...['claim', 'settle', 'heartbeat', 'save-step', 'promote', 'recover', 'release', 'claim-parked'],
      ...['keep-schedules', 'fire-schedule', 'read-queue', 'keep-layout'],
    ]
      .map((name) => `tasks/${name}`)
      .concat(['downstream/acquire', 'downstream/report', 'downstream/read']),
    commands: ['set', 'wait', 'brpoplpush'],
  },
  'coordinator-operator': {
    scripts: [
      ...['audit-books', 'audit-index', 'audit-records', 'audit-job', 'audit-keys', 'audit-memberships'],
      ...['audit-timeline', 'keep-layout'],
    ].map((name) => `tasks/${name}`),
    commands: ['scan', 'lrange', 'zscan', 'bgrewriteaof'],
  },
} as const;
/** What every connection does. */
const ofAll = ['ping', 'select', 'info', 'evalsha', 'eval'];

/** Commands of streams: there is one, and none of them changes or removes what stands in it. */
const isOnAuditLog = (command: string) => command.startsWith('x');

const FUNCTION = /^local function (\w+)\([\s\S]*?^end$/gm;

/** The commands that a script may come to call, over the functions that it shares with others. */
function commandsOf(script: string): Set<string> {
  const [library, name] = script.split('/') as [keyof typeof folders, string];
  const read = (part: string) => readFileSync(join(folders[library], `${part}.lua`), 'utf8').replaceAll(/--.*/g, '');
  const before = shared[name.split('-')[0]!] ?? shared[library]!;
  const head = before.map(read).join('\n');
  const functions = new Map(Array.from(head.matchAll(FUNCTION), ([body, called]) => [called as string, body]));
  const found = new Set<string>();
  const toRead = [head.replaceAll(FUNCTION, ''), read(name)];
  for (let text = toRead.pop(); text !== undefined; text = toRead.pop()) {
    for (const [, first = ''] of text.matchAll(/redis\.p?call\(([^,)]*)/g)) {
      for (const [, command = ''] of first.matchAll(/'([A-Z]+)'/g)) found.add(command.toLowerCase());
    }
    for (const [called, body] of functions) {
      if (!new RegExp(`\\b${called}\\(`).test(text)) continue;
      functions.delete(called);
      toRead.push(body);
    }
  }
  return found;
}

function commandsIn(rules: readonly string[]): string[] {
  return rules.flatMap((rule) => (rule.startsWith('+') ? [rule.slice(1)] : [])).sort();
}

describe('the users of Redis', () => {
  test.each(Object.entries(roles))('%s may do what it does and nothing else', (name, { scripts, commands }) => {
    const needed = new Set([...ofAll, ...commands, ...scripts.flatMap((script) => [...commandsOf(script)])]);
    const { rules, onAuditLog } = users.get(name)!;
    expect(commandsIn(rules)).toEqual([...needed].filter((command) => !isOnAuditLog(command)).sort());
    const looks = name === 'coordinator-operator' ? ['type'] : [];
    expect(commandsIn(onAuditLog)).toEqual([...[...needed].filter(isOnAuditLog), ...looks].sort());
  });

  test.each(Object.keys(roles))(
    '%s has the keys of the coordinator but the audit log, no channels, and no password to be guessed',
    (name) => {
      const { rules, onAuditLog } = users.get(name)!;
      const withoutCommands = (all: readonly string[]) => all.filter((rule) => rule !== '' && !rule.startsWith('+'));
      const keys = ['~{cc}:', '~{cc}:[^a]*'];
      expect(withoutCommands(rules)).toEqual(['on', 'resetpass', 'resetkeys', ...keys, 'resetchannels', '-@all']);
      expect(withoutCommands(onAuditLog)).toEqual(name === 'coordinator-worker' ? [] : ['~{cc}:audit-log']);
    },
  );

  test('the API adds to the audit log, and nobody can take anything away from it', () => {
    expect(commandsIn(users.get('coordinator-api')!.onAuditLog)).toEqual(['xadd', 'xlen', 'xrevrange']);
  });

  test('no other key begins as the audit log does, so that a pattern leaves it out', () => {
    const reference = readFileSync(join(REPOSITORY, 'docs/reference/lifecycle.md'), 'utf8');
    const keys = Array.from(reference.matchAll(/^\| `\{cc\}:([^`]+)`/gm), ([, key = '']) => key);
    expect(keys.filter((key) => key.startsWith('a'))).toEqual(['audit-log']);
    expect(keys.length).toBeGreaterThan(10);
  });

  test('are the only ones', () => {
    expect([...users.keys()]).toEqual(['default', ...Object.keys(roles)]);
    expect(users.get('default')?.rules).toEqual(['off', 'resetpass', 'resetkeys', 'resetchannels', '-@all']);
  });

  test('are those of the sandbox, which has given them passwords', () => {
    const passwords = file.replaceAll(' on resetpass ', ' on resetpass >sandbox ');
    expect(readFileSync(deployed('sandbox/secrets/redis-users.acl'), 'utf8')).toBe(passwords);
  });

  test('run every script between them', () => {
    const parts = ['tasks/job', 'tasks/lease', 'tasks/audit', 'downstream/downstream'];
    const all = Object.entries(folders).flatMap(([library, folder]) =>
      readdirSync(folder).map((file) => `${library}/${basename(file, '.lua')}`),
    );
    const run = new Set(Object.values(roles).flatMap(({ scripts }) => [...scripts] as string[]));
    expect([...run].sort()).toEqual(all.filter((script) => !parts.includes(script)).sort());
  });
});
