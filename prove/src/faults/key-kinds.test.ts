import { REPOSITORY } from '@coordinator/tools';
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyKinds, kindOf, placeOf } from './key-kinds.ts';

const TYPES: Readonly<Record<string, string>> = { 'sorted set': 'zset' };

/** Name and type of each key in the table of the reference. */
function documented(): [name: string, type: string][] {
  const text = readFileSync(join(REPOSITORY, 'docs/reference/lifecycle.md'), 'utf8');
  const table = /^## Keys in Redis$([^]*?)^### /m.exec(text)?.[1] ?? '';
  return [...table.matchAll(/^\| (`\{cc\}:[^|]*)\| *([^|]*?) *\|/gm)].flatMap(([, names = '', type = '']) =>
    [...names.matchAll(/`\{cc\}:([^`]*)`/g)].map(([, name = '']): [string, string] => [name, TYPES[type] ?? type]),
  );
}

describe('the kinds of keys', () => {
  test('are those of the reference, both ways', () => {
    expect(documented().sort()).toEqual(keyKinds.map(({ name, type }) => [name, type]).sort());
  });

  test('tell each key from all others', () => {
    const parts = { id: '01a1fb29', queue: 'lms', lane: 'a:b', task: 'lms.enrol', key: 'k 1', subject: 'order:D-1' };
    for (const kind of keyKinds) {
      expect(kindOf(placeOf(kind, { ...parts, name: 'shop', place: 'q:lms:waiting' }))).toBe(kind);
    }
    expect(kindOf('q:lms:new')).toBeUndefined();
    expect(kindOf('new')).toBeUndefined();
  });
});
