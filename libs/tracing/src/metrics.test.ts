import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { observeBreakers, observeQueues } from './gauges.ts';
import { countAccepted, recordAttempt, recordQueueWait } from './metrics.ts';
import { startTracing, type Tracing } from './start-tracing.ts';

const job = { task: 'stripe.refund', queue: 'stripe' };
const labels = 'coordinator_task="stripe.refund",messaging_destination_name="stripe"';

let tracing: Tracing;
beforeEach(() => void (tracing = startTracing({ service: 'test', release: '1.2.3' })));
afterEach(() => tracing.shutdown());

const lines = async (): Promise<string[]> => (await tracing.metricsText()).split('\n');

test('accepted jobs, waits and attempts are in the text, times in seconds', async () => {
  countAccepted(job);
  countAccepted(job);
  recordQueueWait({ ...job, waitMs: 1500 });
  recordAttempt({ ...job, outcome: 'retried', durationMs: 250 });
  expect(await lines()).toEqual(
    expect.arrayContaining([
      `coordinator_jobs_accepted_total{${labels}} 2`,
      `coordinator_job_queue_wait_sum{${labels}} 1.5`,
      `coordinator_job_queue_wait_bucket{${labels},le="1"} 0`,
      `coordinator_job_queue_wait_bucket{${labels},le="2.5"} 1`,
      `coordinator_attempts_total{${labels},coordinator_outcome="retried"} 1`,
      `coordinator_attempt_duration_sum{${labels},coordinator_outcome="retried"} 0.25`,
    ]),
  );
});

test('the text says whose it is', async () => {
  expect(await tracing.metricsText()).toMatch(/^target_info\{.*service_name="test",service_version="1.2.3"/m);
});

test('queues and breakers are read when asked, until they are given up', async () => {
  let depth = 3;
  const stops = [
    observeQueues(async () => [{ queue: 'stripe', depth, oldestAgeMs: 2500, parked: 5, deadLetters: 1 }]),
    observeBreakers(() => [{ downstream: 'lms', state: 'open' }]),
  ];
  expect(await lines()).toEqual(
    expect.arrayContaining([
      'coordinator_queue_depth{messaging_destination_name="stripe"} 3',
      'coordinator_queue_oldest_age{messaging_destination_name="stripe"} 2.5',
      'coordinator_queue_parked{messaging_destination_name="stripe"} 5',
      'coordinator_dead_letters{messaging_destination_name="stripe"} 1',
      'coordinator_breaker_state{coordinator_downstream="lms"} 2',
    ]),
  );
  depth = 4;
  expect(await lines()).toContain('coordinator_queue_depth{messaging_destination_name="stripe"} 4');
  stops.forEach((stop) => stop());
  expect((await lines()).filter((line) => line.startsWith('coordinator_queue'))).toEqual([]);
});

test('a reader that fails costs its own reading only', async () => {
  const stops = [
    observeQueues(() => Promise.reject(new Error('Redis is down'))),
    observeQueues(() => [{ queue: 'lms', depth: 1, oldestAgeMs: 0, parked: 0, deadLetters: 0 }]),
  ];
  expect(await lines()).toContain('coordinator_queue_depth{messaging_destination_name="lms"} 1');
  stops.forEach((stop) => stop());
});

test('a reader that hangs does not hold up the text', async () => {
  const stop = observeQueues(() => new Promise(() => undefined));
  countAccepted(job);
  expect(await lines()).toContain(`coordinator_jobs_accepted_total{${labels}} 1`);
  stop();
});

test('measuring after the end is nothing, and the text is empty', async () => {
  await tracing.shutdown();
  expect(() => countAccepted(job)).not.toThrow();
  expect(await tracing.metricsText()).toBe('');
});

test('a second start is refused', () => {
  expect(() => startTracing({ service: 'test', release: '1' })).toThrow('started already');
});
