import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { personalDataOf, personalValues } from './personal-data.ts';
import { noPii, pii } from './pii.ts';

const order = z.object({
  orderNumber: noPii(z.string()),
  customer: z.object({
    id: noPii(z.string()),
    email: pii(z.email(), 'email_address', 'local_api').optional(),
    username: pii(z.string().min(1), 'username', 'consumer_api').describe('as in the LMS').max(30),
  }),
  lines: z.array(z.object({ sku: noPii(z.string()), note: pii(z.string(), 'other', 'local_api').nullable() })),
  answers: z.record(noPii(z.string()), pii(z.string(), 'biography', 'local_api')).default({}),
  byPhone: z.record(pii(z.string(), 'phone_number', 'third_party'), noPii(z.int())),
  contact: z.union([
    noPii(z.object({ kind: z.literal('none') })),
    z.object({ kind: noPii(z.literal('call')), at: pii(z.string(), 'phone_number', 'local_api') }),
  ]),
  when: noPii(z.string()).transform((text) => new Date(text)),
});

const value = {
  orderNumber: 'D-1001',
  customer: { id: '42', email: 'ada@example.test', username: 'ada' },
  lines: [{ sku: 'a', note: 'ring twice' }],
  answers: { q1: 'blue' },
  byPhone: { '555-0100': 1 },
  contact: { kind: 'call', at: '555-0199' },
  when: '2026-01-01',
};

describe('the marks of a schema', () => {
  test('are found through optional, arrays, records, unions and later refinements', () => {
    expect(personalDataOf(order)).toEqual({
      faults: [],
      fields: [
        { path: 'answers.*', type: 'biography', retirement: 'local_api' },
        { path: 'byPhone.<name>', type: 'phone_number', retirement: 'third_party' },
        { path: 'contact.at', type: 'phone_number', retirement: 'local_api' },
        { path: 'customer.email', type: 'email_address', retirement: 'local_api' },
        { path: 'customer.username', type: 'username', retirement: 'consumer_api' },
        { path: 'lines[].note', type: 'other', retirement: 'local_api' },
      ],
    });
  });

  test('keep the description and the checks of the field, and show in its JSON schema', () => {
    const field = pii(z.string().max(3).describe('who'), 'name', 'retained');
    expect(field.safeParse('toolong').success).toBe(false);
    expect(z.toJSONSchema(field)).toMatchObject({ description: 'who', pii: { type: 'name', retirement: 'retained' } });
  });

  test('do not pass from a copy to the schema that it was made of', () => {
    const plain = z.string();
    const { fields, faults } = personalDataOf(z.object({ a: plain, b: pii(plain, 'name', 'local_api') }));
    expect(fields.map(({ path }) => path)).toEqual(['b']);
    expect(faults).toEqual(['a is not marked pii() or noPii()']);
  });

  test('are missing wherever nobody has said anything', () => {
    const bare = z.strictObject({
      note: z.string(),
      lines: z.array(z.object({ sku: z.string().optional() })),
      answers: z.record(z.string(), z.unknown()),
      ...noPii({ quantity: z.int() }),
      kind: z.enum(['a', 'b']),
    });
    expect(personalDataOf(bare).faults).toEqual([
      'note is not marked pii() or noPii()',
      'lines[].sku is not marked pii() or noPii()',
      'answers.<name> is not marked pii() or noPii()',
      'answers.* is not marked pii() or noPii()',
      'kind is not marked pii() or noPii()',
    ]);
    expect(personalDataOf(z.looseObject({})).faults).toEqual(['* is not marked pii() or noPii()']);
    expect(personalDataOf(z.string()).faults).toEqual(['all of it is not marked pii() or noPii()']);
  });

  test('are lost by an object that is extended, so that new fields are asked for, and kept by one that is refined', () => {
    const whole = noPii(z.strictObject({ sku: z.string() }));
    expect(personalDataOf(whole.extend({ note: z.string() })).faults).toHaveLength(2);
    expect(personalDataOf(whole.refine(() => true)).faults).toEqual([]);
  });

  test('contradict each other where personal data is part of what is none', () => {
    const email = pii(z.string(), 'email_address', 'local_api');
    expect(personalDataOf(noPii(z.object({ customer: z.object({ email }) }))).faults).toEqual([
      'customer.email is marked pii() within what is marked noPii()',
    ]);
    expect(() => noPii(email)).toThrow('take one of them away');
    expect(() => noPii({ email })).toThrow('take one of them away');
  });

  test('are told once of a schema that contains itself', () => {
    const tree = z.object({
      label: pii(z.string(), 'name', 'local_api'),
      get children() {
        return z.array(tree);
      },
    });
    expect(personalDataOf(tree)).toMatchObject({ fields: [{ path: 'label' }], faults: [] });
    const grown = { label: 'Ada', children: [{ label: 'Byron', children: [] }] };
    expect(personalValues(tree, grown)).toEqual(['Ada', 'Byron']);
  });
});

describe('the personal data of a value', () => {
  test('is what its schema marks', () => {
    const found = ['ada@example.test', 'ada', 'ring twice', 'blue', '555-0100', '555-0199'];
    expect(personalValues(order, value).sort()).toEqual(found.sort());
  });

  test('is all texts and numbers of what is marked as a whole', () => {
    const person = pii(z.unknown(), 'other', 'local_api');
    const held = { name: ' Ada ', born: 1815, alive: false, of: ['London', '', null] };
    expect(personalValues(z.object({ person }), { person: held })).toEqual(['Ada', '1815', 'London']);
  });

  test('is found as far as a value that is not valid goes', () => {
    expect(personalValues(order, { customer: { username: 7, email: null }, lines: 'none' })).toEqual(['7']);
    expect(personalValues(order, undefined)).toEqual([]);
  });
});
