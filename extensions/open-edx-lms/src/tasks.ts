import { defineTask, exponential, noPii, pii } from '@coordinator/extension';
import { z } from 'zod';

const HOUR_MS = 3_600_000;

/** Enrol a customer in the course run that was bought. Safe to repeat: the LMS answers with the enrolment there is. */
export const enrol = defineTask({
  name: 'lms.enrol',
  payload: z.strictObject({
    username: pii(z.string().min(1).max(150), 'username', 'consumer_api'),
    ...noPii({
      orderNumber: z.string().min(1).max(64),
      lineId: z.string().min(1).max(64),
      /** Key of the course run: `course-v1:DemoX+CS101+2026`. */
      courseId: z.string().min(1).max(255),
      /** Slug of the course mode: `verified`. */
      mode: z.string().min(1).max(32),
      /** When the order was placed, ISO 8601. */
      placedAt: z.iso.datetime(),
    }),
  }),
  // A hiccup costs the buyer less than a second, an outage over a long weekend costs no enrolment: what ends the
  // retries is the age of the job, and the number of attempts only a limit beyond it.
  maxAttempts: 250,
  giveUpAfterMs: 96 * HOUR_MS,
  timeoutMs: 30_000,
  backoff: exponential({ firstMs: 500, maxMs: HOUR_MS }),
});
