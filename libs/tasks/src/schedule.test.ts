import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { defineSchedule } from './schedule.ts';
import { defineTask } from './task.ts';

const reconcile = defineTask({ name: 'orders.reconcile', payload: z.strictObject({ day: z.string() }) });
const nightly = { name: 'orders.nightly', cron: '0 3 * * *', task: reconcile, payload: { day: 'monday' } } as const;

test('a schedule is in UTC, makes up for what was missed with one job, and its jobs are about the schedule', () => {
  const schedule = defineSchedule(nightly);
  expect(schedule).toMatchObject({ timeZone: 'UTC', catchUp: 'once', subject: 'schedule:orders.nightly' });
  expect(schedule.payload({ slotAt: new Date(0) })).toEqual({ day: 'monday' });
});

test('a payload may be made of the slot', () => {
  const payload = ({ slotAt }: { slotAt: Date }) => ({ day: slotAt.toISOString().slice(0, 10) });
  const schedule = defineSchedule({ ...nightly, payload, subject: 'ledger:main' });
  expect(schedule.payload({ slotAt: new Date('2026-01-02T03:00:00Z') })).toEqual({ day: '2026-01-02' });
  expect(schedule.subject).toBe('ledger:main');
});

test('another expression or zone has slots of its own, another blank between fields has not', () => {
  const keyOf = (change: object) => defineSchedule({ ...nightly, ...change }).key;
  expect(keyOf({ cron: ' 0  3 * * *\t' })).toBe(keyOf({}));
  expect(new Set([keyOf({}), keyOf({ cron: '0 4 * * *' }), keyOf({ timeZone: 'Europe/Berlin' })]).size).toBe(3);
  expect(keyOf({ catchUp: 'all', payload: { day: 'sunday' } })).toBe(keyOf({}));
});

test.each([
  [
    { name: 'Nightly' },
    'The schedule name "Nightly" is not of the form "<noun>.<verb>", for example "orders.reconcile"',
  ],
  [{ cron: 'daily' }, /^orders\.nightly: the cron expression "daily" must have five fields/],
  [
    { timeZone: 'CET+1' },
    'orders.nightly: "CET+1" is no time zone; use a name of the IANA database, such as "Europe/Berlin"',
  ],
  [{ catchUp: 'twice' as 'once' }, 'orders.nightly: catchUp must be one of skip, once, all, not "twice"'],
])('%j is refused where it is declared', (change, message) => {
  const declare = () => defineSchedule({ ...nightly, ...change });
  expect(declare).toThrow(RangeError);
  expect(declare).toThrow(message);
});

// The type checker runs this one.
test('a payload that does not fit the task does not compile', () => {
  // @ts-expect-error the day is missing
  const fixed = defineSchedule({ ...nightly, payload: {} });
  // @ts-expect-error the day is a text
  const made = defineSchedule({ ...nightly, payload: ({ slotAt }) => ({ day: slotAt }) });
  expect([fixed, made]).toHaveLength(2);
});
