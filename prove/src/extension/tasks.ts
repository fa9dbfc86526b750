import { defineTask, exponential, noPii } from '@coordinator/extension';
import { z } from 'zod';
import { delivery, note } from './delivery.ts';
import { misdeeds } from './misdeeds.ts';

// Short, so that a run sees many attempts; and more of them than any fault of a run can spend.
const policy = { maxAttempts: 1_000, timeoutMs: 20_000, backoff: exponential({ firstMs: 500, maxMs: 5_000 }) };

/** One call to the sink, as a step. */
export const deliver = defineTask({
  name: 'prove.deliver',
  payload: delivery,
  ...policy,
});

/** The same, but its key is soon forgotten, so that a run can see that nothing of it stays. */
export const fleeting = defineTask({
  name: 'prove.fleeting',
  payload: deliver.payload,
  ...policy,
  dedupeMs: 40_000,
});

/** Ends when the sink opens its gate, of which each attempt has one of its own. */
export const gated = defineTask({
  name: 'prove.gated',
  payload: noPii(z.strictObject({ note })),
  ...policy,
  timeoutMs: 600_000,
});

/** One call to the sink, like others, but all that belongs to its jobs is theirs alone. */
export const aside = defineTask({
  name: 'prove.aside',
  queue: 'prove-aside',
  payload: noPii(
    z.strictObject({ note, lane: z.string().max(100).optional(), subject: z.string().max(100).optional() }),
  ),
  ...policy,
});

/** Does something wrong. */
export const misbehave = defineTask({
  name: 'prove.misbehave',
  payload: noPii(z.strictObject({ note, how: z.enum(misdeeds), forMs: z.int().min(0).optional() })),
  ...policy,
  maxAttempts: 3,
});

/** Has a child for each note. */
export const family = defineTask({
  name: 'prove.family',
  payload: noPii(z.strictObject({ note, children: z.array(note).max(100), subject: z.string().max(100).optional() })),
  ...policy,
});
