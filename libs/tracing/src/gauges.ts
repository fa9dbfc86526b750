import { diag, type Meter, type Observable } from '@opentelemetry/api';
import { ATTR } from './attributes.ts';

/** The state of one queue at this moment. */
export interface QueueReading {
  readonly queue: string;
  /** Jobs waiting to be taken. */
  readonly depth: number;
  /** Age of the job that has been due the longest; 0 when none is. */
  readonly oldestAgeMs: number;
  /** Jobs that wait for a worker which can read them. */
  readonly parked: number;
  /** Jobs that are dead and kept. */
  readonly deadLetters: number;
}

/** The state of one downstream's circuit breaker at this moment. */
export interface BreakerReading {
  readonly downstream: string;
  readonly state: 'closed' | 'half-open' | 'open';
}

const BREAKER_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const;

type Read<T> = () => readonly T[] | Promise<readonly T[]>;
const queueReaders = new Set<Read<QueueReading>>();
const breakerReaders = new Set<Read<BreakerReading>>();

/**
 * Has queues read each time metrics are collected (`coordinator.queue.depth`, `coordinator.queue.oldest_age` in
 * seconds, `coordinator.queue.parked`, `coordinator.dead_letters`). May be called before startTracing. A reader that
 * throws or takes longer than the collection may gives no reading, and no error to anybody.
 * @returns stops the reading
 */
export function observeQueues(read: Read<QueueReading>): () => void {
  queueReaders.add(read);
  return () => void queueReaders.delete(read);
}

/** Has circuit breakers read each time metrics are collected (`coordinator.breaker.state`: 0 closed, 1 half-open, 2 open). */
export function observeBreakers(read: Read<BreakerReading>): () => void {
  breakerReaders.add(read);
  return () => void breakerReaders.delete(read);
}

/** Makes the gauges on a meter. */
export function installGauges(meter: Meter): void {
  const gauge = (name: string, description: string, unit?: string): Observable =>
    meter.createObservableGauge(name, { description, unit });
  const depth = gauge('coordinator.queue.depth', 'Jobs waiting to be taken');
  const oldestAge = gauge('coordinator.queue.oldest_age', 'Age of the job due the longest', 's');
  const parked = gauge('coordinator.queue.parked', 'Jobs waiting for a worker that can read them');
  const deadLetters = gauge('coordinator.dead_letters', 'Jobs dead and kept');
  const breaker = gauge('coordinator.breaker.state', 'Circuit breaker: 0 closed, 1 half-open, 2 open');

  meter.addBatchObservableCallback(
    async (result) => {
      for (const reading of await readAll(queueReaders)) {
        const queue = { [ATTR.messagingDestinationName]: reading.queue };
        result.observe(depth, reading.depth, queue);
        result.observe(oldestAge, reading.oldestAgeMs / 1000, queue);
        result.observe(parked, reading.parked, queue);
        result.observe(deadLetters, reading.deadLetters, queue);
      }
    },
    [depth, oldestAge, parked, deadLetters],
  );
  meter.addBatchObservableCallback(
    async (result) => {
      for (const { downstream, state } of await readAll(breakerReaders)) {
        result.observe(breaker, BREAKER_VALUES[state], { [ATTR.downstream]: downstream });
      }
    },
    [breaker],
  );
}

async function readAll<T>(readers: ReadonlySet<Read<T>>): Promise<T[]> {
  const results = await Promise.allSettled([...readers].map(async (read) => read()));
  return results.flatMap((result) => {
    if (result.status === 'fulfilled') return result.value;
    diag.warn(`A metrics reader failed: ${result.reason instanceof Error ? result.reason.name : 'unknown'}`);
    return [];
  });
}
