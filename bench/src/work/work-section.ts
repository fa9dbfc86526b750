import type { Section } from '../report/report.ts';
import { CONCURRENCY } from './concurrency.ts';
import { benchmarkWork, WORK, type WorkOptions } from './work-benchmark.ts';

/** Measures work and says what was measured. */
export async function workSection(options: WorkOptions): Promise<Section> {
  options.onProgress(`work: ${options.jobs} jobs per measurement`);
  return {
    title: 'Working off a queue',
    about: `A worker with ${CONCURRENCY} jobs at once and a handler that does nothing, ${options.jobs} waiting orders per measurement. Ours
claims each job under a lease and keeps a record of it; it validates the payload, logs nothing, and with tracing on
exports a span per attempt. The bare ones take a job, run it and remove it; bee-queue with the settings that make it
fast (no events, no stored jobs, removed on success).`,
    series: await benchmarkWork(options),
    baseline: WORK.bee,
    aims: new Map(),
  };
}
