import { expect, test } from '@jest/globals';
import { enrolmentRequest } from './enrolment-request.ts';

test('an enrolment carries the order that it belongs to, as the LMS wants it', () => {
  expect(
    enrolmentRequest({
      orderNumber: 'D-1001',
      lineId: 'l1',
      username: 'ada',
      courseId: 'course-v1:DemoX+CS101+2026',
      mode: 'verified',
      placedAt: '2026-01-02T03:04:05.678Z',
    }),
  ).toEqual({
    user: 'ada',
    mode: 'verified',
    is_active: true,
    email_opt_in: false,
    course_details: { course_id: 'course-v1:DemoX+CS101+2026' },
    enrollment_attributes: [
      { namespace: 'order', name: 'order_number', value: 'D-1001' },
      { namespace: 'order', name: 'order_id', value: 'D-1001' },
      { namespace: 'order', name: 'line_item_id', value: 'l1' },
      { namespace: 'order', name: 'date_placed', value: '2026-01-02T03:04:05Z' },
      { namespace: 'order', name: 'source_system', value: 'commerce-coordinator' },
    ],
  });
});
