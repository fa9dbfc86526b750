import type { HarnessAttempt } from './harness.ts';

/** The error of a drain that found no end: it names the task, and the job, which ran most often. */
export function neverEnding(attempts: readonly HarnessAttempt[]): Error {
  const [task, ofTask] = mostFrequent(attempts.map((attempt) => attempt.task));
  const [jobId, ofJob] = mostFrequent(attempts.filter((attempt) => attempt.task === task).map(({ jobId }) => jobId));
  const last = attempts.findLast((attempt) => attempt.jobId === jobId)?.outcome.kind;
  const job = ofJob > 1 ? `its job ${jobId} alone ${ofJob}, the last one ${last}` : 'each in another job';
  return new Error(`drain() found no end in ${attempts.length} attempts: ${task} took ${ofTask} of them, ${job}`);
}

function mostFrequent(names: readonly string[]): [name: string, count: number] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].reduce((most, one) => (one[1] > most[1] ? one : most), ['', 0]);
}
