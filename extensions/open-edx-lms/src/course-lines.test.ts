import { expect, test } from '@jest/globals';
import { enrolmentOf } from './course-lines.ts';
import { enrol } from './tasks.ts';

const line = {
  orderNumber: 'D-1001',
  lineId: 'l1',
  kind: 'course',
  sku: 'course-v1:DemoX+CS101+2026',
  mode: 'professional',
  quantity: 2,
  username: 'ada',
  placedAt: '2026-01-02T03:04:05.678Z',
};

test('a line of the kind course is one enrolment, whatever its quantity', () => {
  expect(enrol.payload.parse(enrolmentOf(line))).toEqual({
    orderNumber: 'D-1001',
    lineId: 'l1',
    username: 'ada',
    courseId: 'course-v1:DemoX+CS101+2026',
    mode: 'professional',
    placedAt: '2026-01-02T03:04:05.678Z',
  });
});

test('a course without a mode is bought in the paid one', () => {
  expect(enrolmentOf({ ...line, mode: undefined })).toMatchObject({ mode: 'verified' });
});

test('a line of another kind is none of our business', () => {
  expect(enrolmentOf({ ...line, kind: 'book' })).toBeUndefined();
});
