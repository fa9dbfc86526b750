import { setTimeout as delay } from 'node:timers/promises';
import { answer } from '../answer.ts';
import { CONCURRENCY } from './concurrency.ts';
import { Gate } from './gate.ts';

/** How many jobs are enqueued in one call. */
const CHUNK = 500;
const POLL_MS = 5;

/** What differs from one kind of worker to the other. */
export interface WorkerUnderTest {
  /** Enqueues jobs with these numbers. */
  readonly enqueue: (numbers: readonly number[]) => Promise<unknown>;
  /** Starts to take jobs; each job's handler is to await `handler` and nothing else. */
  readonly start: (handler: () => Promise<void> | undefined) => unknown;
  /** How many jobs have ended since the start, their end written to Redis. */
  readonly ended: () => number;
}

/** Has this process fill its queue and work it off when it is asked to. */
export function measuredWorker({ enqueue, start, ended }: WorkerUnderTest): void {
  const gate = new Gate();
  let filled = 0;
  let started = false;

  answer({
    /** Puts jobs on the queue and returns when all handlers that may run at once stand before the gate. */
    fill: async (jobs: number) => {
      gate.close();
      if (!started) await start(() => gate.pass());
      started = true;
      for (const end = filled + jobs; filled < end;) {
        const chunk = Math.min(CHUNK, end - filled);
        await enqueue(Array.from({ length: chunk }, (_, i) => filled + i));
        filled += chunk;
      }
      while (gate.held < Math.min(jobs, CONCURRENCY)) await delay(POLL_MS);
    },
    /** Opens the gate and returns when the queue is worked off. */
    workOff: async () => {
      gate.open();
      while (ended() < filled) await delay(POLL_MS);
    },
  });
}
