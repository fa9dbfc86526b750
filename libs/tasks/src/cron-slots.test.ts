import { describe, expect, test } from '@jest/globals';
import { CronSlots } from './cron-slots.ts';

const DAY_MS = 24 * 3_600_000;
const iso = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The slots that follow one another from a time on. */
function slotsAfter(slots: CronSlots, from: string, count: number): string[] {
  const found: number[] = [];
  while (found.length < count) found.push(slots.next(found.at(-1) ?? Date.parse(from)));
  return found.map(iso);
}

describe('slots', () => {
  test('are the times that the expression means in its zone', () => {
    const nightly = new CronSlots('0 3 * * *', 'Europe/Berlin');
    expect(slotsAfter(nightly, '2026-01-31T01:59:59.999Z', 2)).toEqual([
      '2026-01-31T02:00:00Z',
      '2026-02-01T02:00:00Z',
    ]);
    expect(slotsAfter(nightly, '2026-06-30T01:00:00Z', 1)).toEqual(['2026-07-01T01:00:00Z']);
    expect(slotsAfter(new CronSlots('0 18 * * MON-FRI', 'UTC'), '2026-01-02T18:00:00Z', 2)).toEqual([
      '2026-01-05T18:00:00Z',
      '2026-01-06T18:00:00Z',
    ]);
    expect(slotsAfter(new CronSlots('*/20 * * * * *', 'UTC'), '2026-01-01T00:00:30Z', 2)).toEqual([
      '2026-01-01T00:00:40Z',
      '2026-01-01T00:01:00Z',
    ]);
  });

  test('come right after the gap when the clocks go forward over a fixed time', () => {
    // In Berlin 02:00 to 03:00 is left out on the 29th of March, in New York on the 8th.
    const berlin = new CronSlots('30 2 * * *', 'Europe/Berlin');
    expect(slotsAfter(berlin, '2026-03-28T02:00:00Z', 2)).toEqual(['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']);
    const twice = new CronSlots('30 2,14 * * *', 'America/New_York');
    expect(slotsAfter(twice, '2026-03-07T20:00:00Z', 3)).toEqual([
      '2026-03-08T07:00:00Z',
      '2026-03-08T18:30:00Z',
      '2026-03-09T06:30:00Z',
    ]);
  });

  test('come once when the clocks go back over a fixed time', () => {
    // In Berlin 02:00 to 03:00 comes twice on the 25th of October, in New York 01:00 to 02:00 on the 1st of November.
    const berlin = new CronSlots('30 2 * * *', 'Europe/Berlin');
    expect(slotsAfter(berlin, '2026-10-24T12:00:00Z', 2)).toEqual(['2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z']);
    const newYork = new CronSlots('30 1 * * *', 'America/New_York');
    expect(slotsAfter(newYork, '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z']);
  });

  test.each([
    ['Europe/Berlin', '2026-03-29T00:30:00Z'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z'],
    ['America/New_York', '2026-03-08T06:30:00Z'],
    ['America/New_York', '2026-11-01T05:30:00Z'],
  ])('of an expression with a wildcard follow the time that passes: %s, %s', (timeZone, from) => {
    const halfHours = slotsAfter(new CronSlots('0,30 * * * *', timeZone), from, 4).map((at) => Date.parse(at));
    expect(halfHours.map((at) => at - Date.parse(from))).toEqual([1, 2, 3, 4].map((n) => n * 1_800_000));
  });

  test('are the same counted backwards, whatever the clocks do', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'Pacific/Apia',
    ];
    const expressions = ['30 2 * * *', '*/20 * * * *', '15 0-4 * * *', '0 2,3 * * *', '0 0 L * *', '0 1 * * 0'];
    const days = ['2026-03-07', '2026-03-28', '2026-04-04', '2026-10-03', '2026-10-24', '2026-10-31', '2011-12-29'];
    for (const [zone, expression, day] of zones.flatMap((z) =>
      expressions.flatMap((e) => days.map((d) => [z, e, d])),
    )) {
      const slots = new CronSlots(expression as string, zone as string);
      const [fromMs, untilMs] = [Date.parse(day as string), Date.parse(day as string) + 2 * DAY_MS];
      const forwards: number[] = [];
      for (let at = slots.next(fromMs); at <= untilMs; at = slots.next(at)) forwards.push(at);
      expect([zone, expression, day, slots.latest(fromMs, untilMs, 1_000)]).toEqual([zone, expression, day, forwards]);
    }
  });

  test('that are asked for backwards are those after the one time and not after the other, at most so many', () => {
    const minutes = new CronSlots('* * * * *', 'UTC');
    const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
    const latest = (from: string, until: string, most: number) => minutes.latest(at(from), at(until), most).map(iso);
    expect(latest('00:01:00', '00:03:00', 10)).toEqual(['2026-01-01T00:02:00Z', '2026-01-01T00:03:00Z']);
    expect(latest('00:01:00.001', '00:02:59.999', 10)).toEqual(['2026-01-01T00:02:00Z']);
    expect(latest('00:01:00', '00:01:59.999', 10)).toEqual([]);
    expect(latest('00:00:00', '23:00:00', 2)).toEqual(['2026-01-01T22:59:00Z', '2026-01-01T23:00:00Z']);
  });
});

test.each([
  ['0 3 * *', 'UTC', /must have five fields/],
  ['0 0 3 1 1 * 2030', 'UTC', /must have five fields/],
  ['@daily', 'UTC', /must have five fields/],
  ['2026-01-01T00:00:00Z', 'UTC', /must have five fields/],
  ['? * * * *', 'UTC', /"\?" is none of them/],
  ['61 * * * *', 'UTC', /"61 \* \* \* \*" is not readable: .*minute: 61/],
  ['0 0 30 2 *', 'UTC', /no day that ever comes/],
  ['0 3 * * *', 'Europe/Atlantis', /"Europe\/Atlantis" is no time zone/],
  ['0 3 * * *', '', /"" is no time zone/],
])('%s in the zone "%s" is refused', (expression, timeZone, message) => {
  const build = () => new CronSlots(expression, timeZone);
  expect(build).toThrow(RangeError);
  expect(build).toThrow(message);
});
