import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { fakeDownstream, leakChecks, startHarness, type FakeServer } from '@coordinator/task-testing';
import { warehouseFake } from './fake.ts';
import { shop } from './fixtures/shop.ts';
import { extension } from './index.ts';

const DAY_MS = 24 * 3_600_000;

let warehouse: FakeServer;
beforeAll(async () => {
  warehouse = await fakeDownstream(warehouseFake);
});
beforeEach(() => warehouse.reset());
afterAll(() => warehouse.close());
leakChecks();

/** From a Thursday in March, at noon; the clocks go forward on Sunday. */
function start() {
  const startMs = Date.parse('2026-03-26T12:00:00Z');
  return startHarness({ extensions: [shop, extension], environment: warehouse.environment(), startMs });
}
const closed = () => warehouse.ledger().map(({ subject }) => subject);

test('each working day is closed at six in the evening in Berlin', async () => {
  const harness = await start();
  const attempts = await harness.drain({ untilMs: 5 * DAY_MS, schedules: true });

  expect(closed()).toEqual(['day:2026-03-26', 'day:2026-03-27', 'day:2026-03-30']);
  expect(attempts.map(({ atMs }) => new Date(atMs).getUTCHours())).toEqual([17, 17, 16]);
});

test('days on which nothing ran are closed as soon as something does', async () => {
  const harness = await start();
  harness.clock.advance(5 * DAY_MS);
  await harness.drain({ schedules: true });

  expect(closed()).toEqual(['day:2026-03-26', 'day:2026-03-27', 'day:2026-03-30']);
});
