import { z } from 'zod';

const refusal = z.object({ message: z.string() });

/** What the LMS says in words, some of which name the user. Source: edx-platform, enrollments/views.py */
const reasons: readonly (readonly [status: number, words: RegExp, reason: string])[] = [
  [400, /^No course '.*' found for enrollment/s, 'course-unknown'],
  [400, /course mode is expired or otherwise unavailable/, 'mode-unavailable'],
  [400, /^Enrollment mode mismatch/, 'mode-mismatch'],
  [403, /does not have permission to create enrollment with mode/, 'client-lacks-permission'],
  [406, /does not exist/, 'user-unknown'],
];

/** A short reason, free of personal data, for a refusal of the enrolment API; undefined for one that we do not know. */
export function reasonOf(status: number, body: unknown): string | undefined {
  // Its way to tell a client without the powers of a server nothing about other users; a wrong path has a page.
  if (status === 404 && body === undefined) return 'client-lacks-permission';
  const parsed = refusal.safeParse(body);
  const message = parsed.success ? parsed.data.message : '';
  return reasons.find(([known, words]) => known === status && words.test(message))?.[2];
}
