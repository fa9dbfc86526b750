import type { EventDeclaration } from '@coordinator/tasks';
import type { z } from 'zod';

/** A typed thing that can happen: `payment.refunded`. Extensions meet through events, never through each other. */
export interface Event<Name extends string = string, Data = unknown> extends EventDeclaration<Data> {
  readonly name: Name;
}

/** The data type of an event: `DataOf<typeof paymentRefunded>`. */
export type DataOf<E> = E extends { readonly data: z.ZodType<infer Data> } ? Data : never;

/** Any event, whatever its data. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the data is only ever read through DataOf
export type AnyEvent = Event<string, any>;

const NAME = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

/**
 * Declares an event.
 *
 * @param declaration.name `<noun>.<past participle>`
 * @param declaration.data shape of the data, checked when the event is announced
 * @throws RangeError when the name has another form
 */
export function defineEvent<const Name extends string, Data>(declaration: {
  readonly name: Name;
  readonly data: z.ZodType<Data>;
}): Event<Name, Data> {
  if (!NAME.test(declaration.name)) {
    throw new RangeError(`The event name "${declaration.name}" is not of the form "payment.refunded"`);
  }
  return Object.freeze({ ...declaration });
}
