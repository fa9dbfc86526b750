import { noPii, pii } from '@coordinator/extension';
import { z } from 'zod';

const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[\w.:-]+$/, 'may hold letters, digits and . : _ - only');

/** One thing that was bought. */
export const orderLine = noPii(
  z.strictObject({
    lineId: id,
    /** Decides which extension delivers the line: `course`. */
    kind: z
      .string()
      .max(32)
      .regex(/^[a-z][a-z0-9-]*$/, 'must be a lower-case word such as course'),
    sku: z.string().min(1).max(255),
    /** What is bought of the thing: the course mode, for a course. */
    mode: z.string().min(1).max(32).optional(),
    quantity: z.int().positive().max(1_000),
    /** Minor units of the order's currency: 4900 is 49.00 USD. */
    unitPriceMinor: z.int().nonnegative(),
  }),
);

/** An order as the shop sends it. */
export const order = z.strictObject({
  orderNumber: noPii(id),
  /** ISO 4217. */
  currency: z
    .string()
    .max(3)
    .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code such as USD'),
  customer: z.strictObject({
    id: pii(id, 'id', 'local_api'),
    username: pii(z.string().min(1).max(150), 'username', 'local_api'),
    email: pii(z.email().max(254), 'email_address', 'local_api'),
  }),
  lines: z
    .array(orderLine)
    .min(1)
    .max(100)
    .refine((lines) => new Set(lines.map((line) => line.lineId)).size === lines.length, 'must have unique lineIds'),
});

/** See {@link order}. */
export type Order = z.output<typeof order>;
