import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { keyRing } from './key-ring-field.ts';

const key = (encoding: BufferEncoding = 'base64') => randomBytes(32).toString(encoding);

function faultOf(text: string): string {
  const { success, error } = keyRing().safeParse(text);
  return success ? 'no fault' : error.issues.map((issue) => issue.message).join('; ');
}

describe('a key ring', () => {
  test('keeps the order of its keys, takes base64 in both alphabets, and shows no key', () => {
    const [first, second] = [key(), key('base64url')];
    const ring = keyRing().parse(` k2=${first}, k1 = ${second} ,`);
    expect([...ring.keys()]).toEqual(['k2', 'k1']);
    expect(ring.get('k2')?.reveal()).toBe(first);
    expect(Buffer.from(ring.get('k1')?.reveal() ?? '', 'base64')).toEqual(Buffer.from(second, 'base64url'));
    expect(inspect(ring)).not.toContain(first.slice(0, 10));
  });

  test('tells all its faults at once and none of its keys', () => {
    const [good, bare, short] = [key(), key(), randomBytes(16).toString('base64')];
    const faults = faultOf(`k1=${good},${bare},k3=${short},k4=${good},k 5=${key()},k1=${key()},k6=not base64!`);
    expect(faults.match(/entry \d [a-z]+ \w+/g)).toEqual([
      'entry 2 has no',
      'entry 3 is not',
      'entry 4 repeats an',
      'entry 5 has no',
      'entry 6 repeats an',
      'entry 7 is not',
    ]);
    for (const text of [good, bare, short]) expect(faults).not.toContain(text.slice(0, 8));
  });

  test('holds at least one key', () => {
    expect(faultOf(' , ')).toBe('must be id=key pairs separated by commas: it has none');
  });
});
