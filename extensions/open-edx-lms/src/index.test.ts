import { expect, test } from '@jest/globals';
import { orderLinePlaced, readConfig, Registry } from '@coordinator/extension';
import { startHarness } from '@coordinator/task-testing';
import { openEdxLmsFake } from './fake.ts';
import { shop } from './fixtures/shop.ts';
import { openEdxLms } from './index.ts';

const environment = openEdxLmsFake.environment('http://127.0.0.1:1');
const line = {
  orderNumber: 'D-1001',
  lineId: 'l1',
  kind: 'course',
  sku: 'course-v1:DemoX+CS101+2026',
  quantity: 1,
  username: 'ada',
  placedAt: '2026-01-02T03:04:05Z',
};

test('its configuration, tasks and handlers fit together', async () => {
  const registry = new Registry([shop, openEdxLms]);
  const handlerOf = await registry.loadHandlers(readConfig([openEdxLms.config], { ...environment }));

  expect(registry.catalog.readable()).toEqual(['lms.enrol@1-1']);
  expect(handlerOf('lms.enrol')).toBeInstanceOf(Function);
});

test('what it lacks in the environment is said at once, and the API key is not among it', () => {
  expect(() => readConfig([openEdxLms.config], {})).toThrow(
    /OPEN_EDX_LMS_URL is not set.*OPEN_EDX_LMS_CLIENT_ID is not set.*OPEN_EDX_LMS_CLIENT_SECRET is not set/s,
  );
  expect(() => readConfig([openEdxLms.config], { ...environment, OPEN_EDX_LMS_API_KEY: '' })).not.toThrow();
});

test('a placed course becomes an enrolment on the timeline of its order', async () => {
  const harness = await startHarness({ extensions: [shop, openEdxLms], environment });
  await harness.queue.emit(orderLinePlaced, line, { subject: 'order:D-1001' });

  expect(harness.timeline('order:D-1001')).toMatchObject([
    { task: 'lms.enrol', payload: { courseId: 'course-v1:DemoX+CS101+2026', mode: 'verified', lineId: 'l1' } },
  ]);
});

test('a line of another kind starts nothing', async () => {
  const harness = await startHarness({ extensions: [shop, openEdxLms], environment });

  expect(await harness.queue.emit(orderLinePlaced, { ...line, kind: 'book' })).toEqual([]);
});
