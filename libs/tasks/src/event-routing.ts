import type { z } from 'zod';
import type { AnyTask, EnqueueOptions } from './task.ts';

/** What tasks know of an event; libs/events declares them. */
export interface EventDeclaration<Data> {
  readonly name: string;
  readonly data: z.ZodType<Data>;
}

/** How an event is announced. */
export interface EmitOptions {
  /** The identity of the event: announced twice under one key, it starts each subscribed job once. */
  readonly idempotencyKey?: string | undefined;
  /** The business thing the event is about. Default in a handler: the subject of the running job. */
  readonly subject?: string | undefined;
}

/** One job that an event starts. */
export interface RoutedJob {
  readonly task: AnyTask;
  /** For the task; the data of the event when there is a fault. */
  readonly payload: unknown;
  readonly options: EnqueueOptions;
  /**
   * Why the subscription made no payload of the event. The job is written nevertheless, and is a dead letter at once:
   * the mistake of one subscriber must neither stop the emitter nor go unseen.
   */
  readonly fault?: string;
}

/** Finds the jobs that an event starts. Throws COORD_EVENT_UNKNOWN for an event that no extension declares. */
export type EventRouting = <Data>(event: EventDeclaration<Data>, data: Data, options: EmitOptions) => RoutedJob[];
