import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { noPii, pii } from './pii.ts';
import { schemaFaults } from './schema-faults.ts';

const quoting = { error: ({ input }: { input?: unknown }) => `"${String(input)}" is taken` };
const schema = z.strictObject({
  username: pii(
    z.string().refine(() => false, quoting),
    'username',
    'local_api',
  ),
  plan: noPii(z.string().refine(() => false, quoting)),
  answers: noPii(z.record(z.string().max(9), z.int())).optional(),
});

function faultsOf(value: unknown): string[] {
  const { error } = schema.safeParse(value);
  return error ? schemaFaults(schema, error, value, 'payload') : [];
}

test('a check that quotes what it was given says nothing of personal data', () => {
  expect(faultsOf({ username: 'Ada', plan: 'gold' })).toEqual([
    'username: "[redacted]" is taken',
    'plan: "gold" is taken',
  ]);
});

test('names that the schema does not declare are not told', () => {
  const faults = faultsOf({ username: 'Ada', plan: 'gold', answers: { canary: 'x', 'canary-of-ten': 1 }, canary: 1 });
  expect(faults).toEqual(expect.arrayContaining(['payload: It has members that the schema does not know']));
  expect(faults).toEqual(expect.arrayContaining([expect.stringMatching(/^answers\.\*: Invalid input/)]));
  expect(faults.join()).not.toContain('canary');
});

test('a fault of the whole value has a name of its own', () => {
  expect(faultsOf('canary')).toEqual(['payload: Invalid input: expected object, received string']);
});
