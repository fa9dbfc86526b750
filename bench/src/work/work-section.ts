import type { Section } from '../report/report.ts';
import { CONCURRENCY } from './concurrency.ts';
import { benchmarkWork, WORK, type WorkOptions } from './work-benchmark.ts';

/** Measures work and says what was measured. */
export async function workSection(options: WorkOptions): Promise<Section> {
  options.onProgress(`work: ${options.jobs} jobs per measurement`);
  return {
    title: 'Working off a queue',
    about: `A worker with ${CONCURRENCY} jobs at once and a handler that does nothing; ${options.jobs} orders wait when a measurement begins.

- ${WORK.ours}: claims each job under a lease, validates its payload and keeps a record of how it ended. Logs nothing.
- ${WORK.encrypted}: the same, with payloads encrypted at rest.
- ${WORK.traced}: as the first, with a span per attempt exported over OTLP; what the export costs is counted.
- ${WORK.bee}: with the settings that make it fast (no events, no stored jobs, removed on success).
- ${WORK.bullmq}: removed on completion; over node-redis.`,
    series: await benchmarkWork(options),
    baseline: WORK.bee,
    aims: new Map(),
  };
}
