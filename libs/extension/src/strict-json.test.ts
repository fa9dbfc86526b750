import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DEPTH, MAX_MEMBERS, parseStrictJson, refuseInexact } from './strict-json.ts';

const read = (text: string) => parseStrictJson(Buffer.from(text));

/** The code of the refusal, or 'taken'. */
function verdict(input: string | Uint8Array): string {
  try {
    parseStrictJson(Buffer.from(input as string));
    return 'taken';
  } catch (error) {
    return (error as { code?: string }).code ?? 'not a refusal';
  }
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const members = (count: number) => `{${Array.from({ length: count }, (_, i) => `"m${i}":0`).join(',')}}`;

describe('a JSON body', () => {
  test.each([
    '{"a":',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":1,}',
    '{"a":1}//',
    '',
    '"',
    '{"a":"\\"}',
    '{} {}',
    '[1}',
    ']',
    '\u00a0{}',
    '\ufeff\ufeff{}',
  ])('that is no JSON is malformed: %j', (text) => {
    expect(verdict(text)).toBe('COORD_BODY_MALFORMED');
  });

  test.each([
    ['an invalid byte', [0x22, 0xff, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
  ])('with %s is not UTF-8', (_what, bytes) => {
    expect(verdict(Uint8Array.from(bytes))).toBe('COORD_BODY_MALFORMED');
  });

  test('may hold U+FFFD, written as it is', () => {
    expect(read('"\ufffd"')).toBe('\ufffd');
  });

  test('may begin with a byte order mark', () => {
    expect(read('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"a":1}',
    '[{"x":{"a":{"b":1},"c":0,"a":{"b":1}}}]',
    '{"a":1,"\\u0061":2}',
    '{"a:":{"a":1},"a:":2}',
  ])('with a name twice in one object is refused: %s', (text) => {
    expect(verdict(text)).toBe('COORD_BODY_DUPLICATE_NAME');
  });

  test('may have a name again in another object, and colons in its texts', () => {
    expect(read('[{"a":{"a":":"}},{"a":"{\\":["}]')).toEqual([{ a: { a: ':' } }, { a: '{":[' }]);
  });

  test.each(['{"__proto__":{"isAdmin":true}}', '{"a":[{"__proto__":1}]}', '{"constructor":{"prototype":{"x":1}}}'])(
    'that would replace a prototype is malformed: %s',
    (text) => {
      expect(verdict(text)).toBe('COORD_BODY_MALFORMED');
    },
  );

  test('may have names that objects know anyway', () => {
    const text = '{"toString":1,"hasOwnProperty":2,"constructor":3,"prototype":4}';
    expect(JSON.stringify(read(text))).toBe(text);
  });

  test.each([
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e21',
    '9007199254740993.0',
  ])('with the number %s, which cannot be kept exactly, is refused', (number) => {
    expect(verdict(`{"a":${number}}`)).toBe('COORD_BODY_UNSAFE_NUMBER');
  });

  test('keeps the greatest exact integers, and fractions', () => {
    expect(read('[9007199254740991,-9007199254740991,0.1,1e-3]')).toEqual([
      9007199254740991, -9007199254740991, 0.1, 0.001,
    ]);
  });

  test.each(['49.00', '-0.0', '1e3', '1e-400', '4900.00000000000000001', '9007199254740991.4'])(
    'with %s, which is written as a fraction and is none, is refused',
    (number) => {
      expect([verdict(number), verdict(`[${number}]`), verdict(`{"a":${number} }`)]).toEqual(
        Array<string>(3).fill('COORD_BODY_UNSAFE_NUMBER'),
      );
    },
  );

  test('of a provider may hold what nobody keeps, and no object that is read in two ways', () => {
    const parse = (text: string) => parseStrictJson(Buffer.from(text), 'none');
    expect(parse('["\\u0000","\\ud800",9007199254740993,49.00,{"\\u0000":1e400}]')).toHaveLength(5);
    expect(() => parse('{"a":1,"a":2}')).toThrow();
    expect(() => parse('{"__proto__":1}')).toThrow();
  });

  test.each([
    ['\u0000', 'COORD_BODY_INVALID'],
    ['\ud800', 'COORD_BODY_INVALID'],
    [9007199254740993, 'COORD_BODY_UNSAFE_NUMBER'],
    [{ '\u0000': 1 }, 'COORD_BODY_INVALID'],
  ])('of which %j would be kept is refused', (kept, code) => {
    expect(() => refuseInexact([kept])).toThrow(expect.objectContaining({ code }));
  });

  test('has no negative zero', () => {
    for (const value of [read('-0'), ...(read('[-0]') as number[]), (read('{"a":-0}') as { a: number }).a]) {
      expect(Object.is(value, 0)).toBe(true);
    }
  });

  test.each(['{"id":"a\\u0000"}', '["\\u0000"]', '{"\\u0000":1}'])('with U+0000 is refused: %s', (text) => {
    expect(verdict(text)).toBe('COORD_BODY_INVALID');
  });

  test(`may be ${MAX_DEPTH} levels deep and no deeper, in arrays and objects`, () => {
    expect(verdict(nested(MAX_DEPTH))).toBe('taken');
    expect(verdict(nested(MAX_DEPTH + 1))).toBe('COORD_BODY_TOO_DEEP');
    expect(verdict('{"a":'.repeat(MAX_DEPTH + 1) + '1' + '}'.repeat(MAX_DEPTH + 1))).toBe('COORD_BODY_TOO_DEEP');
    expect(verdict('['.repeat(100_000))).toBe('COORD_BODY_TOO_DEEP');
  });

  test(`may have objects of ${MAX_MEMBERS} members and no more`, () => {
    expect(verdict(members(MAX_MEMBERS))).toBe('taken');
    expect(verdict(members(MAX_MEMBERS + 1))).toBe('COORD_BODY_MALFORMED');
  });

  test('of 256 KiB of backslashes takes no time', () => {
    const startedAt = performance.now();
    expect(verdict(`"${'\\'.repeat(262_142)}"`)).toBe('taken');
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});

/** What JSON.stringify writes is never refused for its form; what we refuse of it for its content is left out. */
const plainJson = fc
  .json({ maxDepth: 10, stringUnit: 'binary' })
  .filter((text) => !/__proto__|"constructor"|\\u0000|-0\b/.test(text) && !holdsUnsafeNumber(JSON.parse(text)));

function holdsUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsUnsafeNumber);
}

describe('against JSON.parse', () => {
  test('what is good JSON is read alike, however it is spaced', () => {
    fc.assert(
      fc.property(plainJson, fc.constantFrom(undefined, 1, '\t'), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), null, space);
        expect(read(spaced)).toEqual(JSON.parse(spaced));
      }),
      { numRuns: 2_000 },
    );
  });

  test('bytes give a value that JSON.parse gives, too, or a refusal with a code', () => {
    const pieces = fc.constantFrom(...'{}[],:"\\ 01-e.u', 'true', 'null', '"a"', '"a":', '\\u0000', '1e400');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: pieces, maxLength: 30 }), fc.string({ unit: 'binary' })), (text) => {
        const code = verdict(text);
        if (code === 'taken') expect(JSON.stringify(read(text))).toBe(JSON.stringify(JSON.parse(text)));
        else expect(code).toMatch(/^COORD_BODY_(MALFORMED|DUPLICATE_NAME|UNSAFE_NUMBER|INVALID)$/);
      }),
      { numRuns: 5_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(verdict(bytes)).toMatch(
          /^(taken|COORD_BODY_(MALFORMED|TOO_DEEP|DUPLICATE_NAME|UNSAFE_NUMBER|INVALID))$/,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test('a member written again is found wherever it stands', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 1, maxLength: 8 }),
        fc.nat(),
        (names, pick) => {
          fc.pre(!names.some((name) => /\0|__proto__/.test(name)));
          const again = [...names, names[pick % names.length] as string];
          const text = `{${again.map((name) => `${JSON.stringify(name)}:{"x":[]}`).join(',')}}`;
          expect(verdict(text)).toBe('COORD_BODY_DUPLICATE_NAME');
        },
      ),
    );
  });
});
