import { noPii } from '@coordinator/extension';
import { z } from 'zod';
import { delivery } from '../extension/delivery.ts';

const { note, destination, lane, seq, padding } = delivery.shape;

/** One call to the sink, in a shape of which the release before can make nothing. */
export const nextDelivery = z.strictObject({
  note,
  to: noPii(z.strictObject({ service: destination, lane, seq })),
  padding,
});

/** A delivery of the release before in the new shape. */
export function inNextShape({ destination: service, lane, seq, ...rest }: z.output<typeof delivery>) {
  return { ...rest, to: { service, lane, seq } };
}
