import { describeQueueBackend } from '../conformance/queue-backend.ts';
import { expect, test } from '@jest/globals';
import type { BackendUnderTest } from '../conformance/bench.ts';
import { describeSchedules } from '../conformance/schedules.ts';
import { MemoryBackend } from './memory-backend.ts';
import { MemoryClock } from './memory-clock.ts';

async function make(): Promise<BackendUnderTest> {
  const clock = new MemoryClock();
  const backend = new MemoryBackend(clock);
  return {
    backend,
    pop: async (queue) => backend.pop(queue),
    advance: async (byMs) => clock.advance(byMs),
    payloadOf: async (jobId) => {
      const payload = backend.payloadOf(jobId);
      return payload == null ? undefined : JSON.stringify(payload);
    },
  };
}

describeQueueBackend('MemoryBackend', make);
describeSchedules('MemoryBackend', make);

test('a schedule that nobody has kept for an hour in which others were is forgotten, but not over an outage', async () => {
  const HOUR_MS = 3_600_000;
  const clock = new MemoryClock(0);
  const backend = new MemoryBackend(clock);
  await backend.keepSchedules(['taken out']);
  clock.advance(HOUR_MS);
  await backend.keepSchedules(['other']);
  clock.advance(10 * HOUR_MS);
  expect((await backend.keepSchedules(['other'])).lastSlotsMs).toEqual([HOUR_MS]);
  expect((await backend.keepSchedules(['taken out'])).lastSlotsMs).toEqual([11 * HOUR_MS]);
});
