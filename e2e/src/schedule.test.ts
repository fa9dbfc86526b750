import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually, leakChecks, privateRedis } from '@coordinator/task-testing';
import { startStack } from '@coordinator/tools';
import { request } from 'undici';
import { Coordinator, type ShownJob } from './coordinator.ts';

const DAY_MS = 24 * 3_600_000;
const KEY = 'warehouse.end-of-day Europe/Berlin 0 18 * * MON-FRI';

let coordinator: Coordinator;
afterAll(() => coordinator.stack.stop());
const redis = privateRedis();
leakChecks(redis);
beforeAll(async () => {
  const env = { COORDINATOR_EXTENSIONS: '@coordinator/example-warehouse', WORKER_LEASE_MS: '2000' };
  coordinator = new Coordinator(await startStack({ redis: redis.server, env, workers: 3 }));
}, 60_000);

/** The jobs of the schedule, oldest first. */
async function jobs(): Promise<ShownJob[]> {
  return (await coordinator.get('/v1/subjects/schedule:warehouse.end-of-day/jobs?limit=1000')).body.items;
}

/** The days that were closed, in their order. */
async function closedDays(): Promise<string[]> {
  const answer = await request(`${coordinator.stack.urls.sandbox}/__ledger?effect=warehouse.close-day`);
  const { effects } = (await answer.body.json()) as { effects: { subject: string }[] };
  return effects.map(({ subject }) => subject.slice('day:'.length)).sort();
}

function parsed(line: string): Record<string, unknown> {
  return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
}

test('three workers make up for a year of missed slots, one job each, although two of them are killed', async () => {
  const missedFrom = Date.now() - 365 * DAY_MS;
  await redis.command('HSET', '{cc}:schedules', KEY, String(missedFrom));
  await eventually(async () => expect((await jobs()).length).toBeGreaterThan(0));
  for (const worker of coordinator.stack.worker.slice(0, 2)) worker.kill('SIGKILL');

  const done = await eventually(
    async () => {
      const shown = await jobs();
      expect(shown.filter(({ state }) => state !== 'completed')).toEqual([]);
      expect(shown.length).toBeGreaterThan(258);
      return shown;
    },
    { deadlineMs: 30_000 },
  );

  const days = await closedDays();
  expect(days).toHaveLength(done.length);
  const steps = days.slice(1).map((day, i) => (Date.parse(day) - Date.parse(days[i]!)) / DAY_MS);
  expect(steps).toEqual(days.slice(1).map((day) => (new Date(day).getUTCDay() === 1 ? 3 : 1)));
  expect(Date.parse(days[0]!) - missedFrom).toBeLessThan(3 * DAY_MS);
  expect(Date.now() - Date.parse(days.at(-1)!)).toBeLessThan(4 * DAY_MS);

  const { body } = await coordinator.get(`/v1/jobs/${done[0]!.jobId}`);
  expect(body).toMatchObject({
    task: 'warehouse.close-day',
    subject: 'schedule:warehouse.end-of-day',
    parentJobId: null,
  });
  // A worker that was killed may not have told of the last that it did.
  const lines = coordinator.stack.worker.flatMap((worker) => worker.lines.map(parsed));
  const told = lines.filter(({ msg }) => msg === 'schedule fired');
  const traceOf = new Map(done.map(({ jobId, traceId }) => [jobId, traceId]));
  expect(told.length).toBeGreaterThan(0);
  expect(told.map(({ trace_id }) => trace_id)).toEqual(told.map(({ jobId }) => traceOf.get(jobId as string)));
  expect(new Set(done.map(({ traceId }) => traceId)).size).toBe(done.length);
}, 60_000);
