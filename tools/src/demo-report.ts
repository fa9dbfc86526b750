import { spanTrees, type RecordedSpan, type SpanTree } from '@coordinator/task-testing';
import type { AcceptedRequest, DemoJob } from './demo-traffic.ts';

/** What became of everything that was accepted. */
export interface DemoSummary {
  /** Requests answered 202. */
  readonly accepted: number;
  /** Jobs that these and their children made. */
  readonly jobs: number;
  readonly completed: number;
  /** Jobs that needed more than one attempt. */
  readonly retried: number;
  readonly dead: number;
  /** Jobs that still have something to do. */
  readonly waiting: number;
  /** Accepted jobs that nobody knows any more. */
  readonly lost: number;
}

/** Counts what became of the accepted requests, from the timelines of their orders. */
export function summarize(accepted: readonly AcceptedRequest[], jobs: readonly DemoJob[]): DemoSummary {
  const known = new Set(jobs.map(({ jobId }) => jobId));
  const count = (wanted: (job: DemoJob) => boolean) => jobs.filter(wanted).length;
  const completed = count(({ state }) => state === 'completed');
  const dead = count(({ state }) => state === 'dead' || state === 'cancelled');
  return {
    accepted: accepted.length,
    jobs: jobs.length,
    completed,
    retried: count(({ attempt }) => attempt > 1),
    dead,
    waiting: jobs.length - completed - dead,
    lost: accepted.flatMap(({ jobIds }) => jobIds).filter((jobId) => !known.has(jobId)).length,
  };
}

/** The summary as a table. */
export function drawSummary(summary: DemoSummary): string {
  const rows: [string, number][] = [
    ['requests accepted (202)', summary.accepted],
    ['jobs, children included', summary.jobs],
    ['completed', summary.completed],
    ['retried on the way', summary.retried],
    ['dead letters', summary.dead],
    ['still waiting', summary.waiting],
    ['lost', summary.lost],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  return rows.map(([what, number]) => `  ${what.padEnd(width)}  ${String(number).padStart(5)}`).join('\n');
}

/** A trace as a tree: a line per span with its place in time, its length and how it ended. */
export function drawTrace(spans: readonly RecordedSpan[]): string {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const line = (span: SpanTree, indent: string): string[] => {
    const at = `+${((span.startMs - startMs) / 1_000).toFixed(3)} s`.padStart(11);
    const took = `${span.durationMs.toFixed(1)} ms`.padStart(11);
    const what = `${indent}${span.name}${endOf(span)}`;
    return [
      `${at} ${took}  ${what}  (${span.service})`,
      ...span.children.flatMap((child) => line(child, `${indent}  `)),
    ];
  };
  return spanTrees(spans)
    .flatMap((root) => line(root, ''))
    .join('\n');
}

function endOf({ attributes }: SpanTree): string {
  const end = attributes['http.response.status_code'] ?? attributes['coordinator.outcome'];
  return typeof end === 'number' || typeof end === 'string' ? ` → ${end}` : '';
}

/** The job that took longest from acceptance to its end; undefined when none has ended. */
export function slowestJob(jobs: readonly DemoJob[]): DemoJob | undefined {
  const took = (job: DemoJob) => Date.parse(job.finishedAt ?? job.createdAt) - Date.parse(job.createdAt);
  return jobs.toSorted((a, b) => took(b) - took(a)).find((job) => took(job) > 0);
}
