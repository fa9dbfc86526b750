import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { loggable, pii, piiPaths } from './pii.ts';

const order = z.object({
  orderNumber: z.string(),
  customer: z.object({
    id: z.string(),
    email: pii(z.email(), 'email_address').optional(),
    username: pii(z.string().min(1), 'username').describe('as in the LMS').max(30),
  }),
  lines: z.array(z.object({ sku: z.string(), note: pii(z.string(), 'other').nullable() })),
  answers: z.record(z.string(), pii(z.string(), 'other')).default({}),
  contact: z.union([
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('call'), at: pii(z.string(), 'phone_number') }),
  ]),
  when: z.string().transform((text) => new Date(text)),
});

const value = {
  orderNumber: 'D-1001',
  customer: { id: '42', email: 'hidden', username: 'hidden' },
  lines: [{ sku: 'a', note: 'hidden' }],
  answers: { q1: 'hidden' },
  contact: { kind: 'call', at: 'hidden' },
  when: '2026-01-01',
};

test('marks are found through optional, arrays, records, unions and later refinements', () => {
  const paths = ['answers.*', 'contact.at', 'customer.email', 'customer.username', 'lines[].note'];
  expect(piiPaths(order)).toEqual(paths);
});

test('a mark keeps the description and the checks of the field, and shows in its JSON schema', () => {
  const field = pii(z.string().max(3).describe('who'), 'name');
  expect(field.safeParse('toolong').success).toBe(false);
  expect(z.toJSONSchema(field)).toMatchObject({ description: 'who', pii: 'name' });
});

test('a schema that is used elsewhere is not marked with its copy', () => {
  const plain = z.string();
  expect(piiPaths(z.object({ a: plain, b: pii(plain, 'name') }))).toEqual(['b']);
});

test('a schema that contains itself has its paths once', () => {
  const tree = z.object({
    label: pii(z.string(), 'name'),
    get children() {
      return z.array(tree);
    },
  });
  expect(piiPaths(tree)).toEqual(['label']);
  expect(loggable(tree, { label: 'x', children: [{ label: 'x', children: [] }] })).toEqual({
    label: '[redacted]',
    children: [{ label: '[redacted]', children: [] }],
  });
});

describe('what may be logged', () => {
  test('is the value with the marked fields redacted', () => {
    expect(loggable(order, value)).toEqual({
      orderNumber: 'D-1001',
      customer: { id: '42', email: '[redacted]', username: '[redacted]' },
      lines: [{ sku: 'a', note: '[redacted]' }],
      answers: { q1: '[redacted]' },
      contact: { kind: 'call', at: '[redacted]' },
      when: '2026-01-01',
    });
  });

  test('leaves the value itself alone', () => {
    const before = structuredClone(value);
    loggable(order, value);
    expect(value).toEqual(before);
  });

  test('has no field that the schema does not name', () => {
    expect(loggable(order, { orderNumber: '1', extra: 'hidden', customer: { shoe: 'hidden' } })).toEqual({
      orderNumber: '1',
      customer: {},
    });
  });

  test('does not show texts where the schema has objects, as in a payload that failed its check', () => {
    const broken = { customer: 'hidden', lines: 'hidden', orderNumber: ['hidden'], answers: ['hidden'] };
    expect(JSON.stringify(loggable(order, broken))).not.toContain('hidden');
  });
});
