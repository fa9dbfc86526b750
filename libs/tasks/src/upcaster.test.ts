import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineTask } from './task.ts';
import { oldestReadable, upcast, upcastPayload } from './upcaster.ts';

const v1 = z.strictObject({ name: z.string() });
const v2 = z.strictObject({ first: z.string(), last: z.string() });
const v3 = z.strictObject({ first: z.string(), last: z.string(), language: z.string().default('en') });

const split = upcast(v1, v2, ({ name }) => {
  const [first = '', last = ''] = name.split(' ');
  return { first, last };
});
const speak = upcast(v2, v3, (person) => person);

const greet = defineTask({ name: 'mail.greet', payload: v3, payloadVersion: 3, upcasters: { 1: split, 2: speak } });
const declared = (more: object) => () => defineTask({ name: 'mail.greet', payload: v3, payloadVersion: 3, ...more });

describe('a payload of an older version', () => {
  test('is brought up step by step', () => {
    const ada = { first: 'Ada', last: 'L', language: 'en' };
    expect(upcastPayload(greet, 1, { name: 'Ada L' })).toEqual(ada);
    expect(upcastPayload(greet, 2, { first: 'Ada', last: 'L' })).toEqual(ada);
  });

  test('that is none of its version is refused with paths, and without what stands there', () => {
    const refused = expect(() => upcastPayload(greet, 1, { name: ['Ada'] }));
    refused.toThrow('could not be brought from version 1 to 2: it is none of version 1: name: ');
    expect(() => upcastPayload(greet, 1, { name: ['Ada'] })).not.toThrow('Ada');
    refused.toThrow(expect.objectContaining({ code: 'COORD_UPCAST_FAILED' }));
  });

  test('whose upcaster makes something else says at which step', () => {
    const wrong = { ...greet, upcasters: { 1: split, 2: { ...speak, convert: async () => ({}) } } };
    expect(() => upcastPayload(wrong, 1, { name: 'Ada L' })).toThrow('from version 2 to 3: the result does not fit: ');
  });

  test('whose upcaster throws says at which step, and why', () => {
    const wrong = { ...greet, upcasters: { 1: { ...split, convert: () => (undefined as unknown as string).trim() } } };
    expect(() => upcastPayload(wrong, 1, { name: 'Ada L' })).toThrow(
      /from version 1 to 2: the upcaster threw: TypeError/,
    );
  });
});

describe('a task declares', () => {
  test('how older payloads become its own, and what it reads no more', () => {
    expect(oldestReadable(greet)).toBe(1);
    expect(oldestReadable(declared({ upcasters: { 2: speak } })())).toBe(2);
    expect(oldestReadable(declared({ upcasters: {} })())).toBe(3);
  });

  test('every step, or is told which one is missing', () => {
    expect(declared({})).toThrow('nothing says how a payload of version 2 becomes one');
    expect(declared({ upcasters: { 1: split } })).toThrow('no upcaster from version 2 to 3');
    expect(declared({ payloadVersion: 4, upcasters: { 1: split, 3: speak } })).toThrow(
      'no upcaster from version 2 to 3',
    );
    expect(declared({ upcasters: { 2: speak, 3: speak } })).toThrow('a version from 1 to 2, not with 3');
    expect(declared({ upcasters: { 0: split, 1: split, 2: speak } })).toThrow('not with 0');
  });

  test('steps that fit together, or is told which ones do not', () => {
    const elsewhere = upcast(v1, v3, ({ name }) => ({ first: name, last: '' }));
    expect(declared({ upcasters: { 1: elsewhere, 2: speak } })).toThrow('from version 1 makes another payload');
    expect(declared({ upcasters: { 2: split } })).toThrow('from version 2 makes another payload');
  });
});

// The type checker runs this: an unused @ts-expect-error is itself an error.
test('the compiler refuses a step that makes something else than it says', () => {
  // @ts-expect-error there is no last name
  expect(upcast(v1, v2, ({ name }) => ({ first: name }))).toBeDefined();
});
