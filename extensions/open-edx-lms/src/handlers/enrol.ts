import type { TaskHandler } from '@coordinator/extension';
import type { LmsClient } from '../client.ts';
import type * as tasks from '../tasks.ts';

/** Enrols in one call; the LMS itself knows what is a repetition. */
export const enrol =
  (lms: LmsClient): TaskHandler<typeof tasks.enrol> =>
  async (enrolment, context) => {
    await context.step('enrol', ({ idempotencyKey }) =>
      lms.enrol(enrolment, { idempotencyKey, signal: context.signal }),
    );
  };
