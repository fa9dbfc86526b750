import type { OrderExample } from '@coordinator/tools';
import type { JobRequestBody } from '../extension/routes.ts';
import type { NextRequestBody } from '../next-release/routes.ts';

/** A request that is to become one job. */
export interface Sending {
  /** Its Idempotency-Key. */
  readonly key: string;
  readonly body: JobRequestBody | NextRequestBody | OrderExample;
  /** Default `/v1/prove/jobs`. */
  readonly path?: string;
}

/** How one try of a sending ended. */
export interface SendAnswer {
  readonly key: string;
  /** The API that it was sent to. */
  readonly api: string;
  /** When it was due, in milliseconds since 1970; later tries are due when they are sent. */
  readonly dueAt: number;
  readonly endedAt: number;
  /** How much of that time the event loop of the driver stood still, in milliseconds: at the most, it was late by that. */
  readonly driverLateMs: number;
  /** 0 where no answer came. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** Whether a job may have been stored although this was no 202. */
  readonly unknown: boolean;
  readonly jobIds: readonly string[];
  readonly duplicate: boolean;
  /** COORD_… of a problem. */
  readonly code: string | undefined;
}

/** A delivery to a destination of the sink. */
export function delivery(key: string, more: { destination?: string; lane?: string; seq?: number } = {}): Sending {
  return { key, body: { task: 'deliver', payload: { note: key, destination: 'main', ...more } } };
}

/** A job that waits at the gates of the sink. */
export function gatedJob(key: string): Sending {
  return { key, body: { task: 'gated', payload: { note: key } } };
}

/** A job of a task that only the next release has. */
export function announcement(key: string): Sending {
  return { key, body: { task: 'announce', payload: { note: key } } };
}
