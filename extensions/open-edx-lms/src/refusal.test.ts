import { expect, test } from '@jest/globals';
import { reasonOf } from './refusal.ts';

test.each([
  [400, "No course 'course-v1:DemoX+CS101+2026' found for enrollment", 'course-unknown'],
  [
    400,
    'The [verified] course mode is expired or otherwise unavailable for course run [course-v1:DemoX+CS101+2026].',
    'mode-unavailable',
  ],
  [400, "Enrollment mode mismatch: active mode=audit, requested mode=verified. Won't deactivate.", 'mode-mismatch'],
  [403, 'User does not have permission to create enrollment with mode [verified].', 'client-lacks-permission'],
  [406, 'The user ada does not exist.', 'user-unknown'],
])('%i "%s" has the reason %s', (status, message, reason) => {
  expect(reasonOf(status, { message })).toBe(reason);
});

test('a 404 without a word means that the client may not enrol others', () => {
  expect(reasonOf(404, undefined)).toBe('client-lacks-permission');
  expect(reasonOf(404, '<html>Not Found</html>')).toBeUndefined();
});

test('what the LMS says otherwise is not repeated: it may name the user', () => {
  expect(reasonOf(400, { message: 'ada cannot do this' })).toBeUndefined();
  expect(reasonOf(403, '<html>embargo</html>')).toBeUndefined();
});
