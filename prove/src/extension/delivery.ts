import { noPii, pii } from '@coordinator/extension';
import { z } from 'zod';

/** Says which request a job came from. */
export const note = z.string().min(1).max(200);

/** One call to the sink. */
export const delivery = z.strictObject({
  /** Makes the payload larger; holds what must not be seen. */
  padding: pii(z.string().max(100_000), 'other', 'local_api').optional(),
  ...noPii({
    /** Says which request this came from. */
    note,
    /** The service that is called; each has a client of its own. */
    destination: z
      .string()
      .max(40)
      .regex(/^[a-z0-9-]+$/),
    /** Set where order matters. */
    lane: z.string().max(100).optional(),
    seq: z.int().optional(),
  }),
});
