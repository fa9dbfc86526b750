import { expect, test } from '@jest/globals';
import { readConfig, Registry } from '@coordinator/extension';
import { paypalFake } from './fake.ts';
import { paypal } from './index.ts';

const environment = paypalFake.environment('http://127.0.0.1:1');

test('its configuration, tasks, handlers and routes fit together', async () => {
  const registry = new Registry([paypal]);
  const config = readConfig([paypal.config, paypal.routeConfig], { ...environment });
  const handlerOf = await registry.loadHandlers(config);
  const tasks = ['paypal.confirm-payment', 'paypal.confirm-refund', 'paypal.record-event'];

  expect(registry.catalog.readable()).toEqual(tasks.map((task) => `${task}@1-1`));
  for (const task of tasks) expect(handlerOf(task)).toBeInstanceOf(Function);
  expect(registry.routes(config).map(({ route }) => route.path)).toEqual(['/webhooks/paypal']);
});

test('what it lacks in the environment is said at once', () => {
  expect(() => readConfig([paypal.config, paypal.routeConfig], {})).toThrow(
    /PAYPAL_CLIENT_ID is not set.*PAYPAL_CLIENT_SECRET is not set.*PAYPAL_WEBHOOK_IDS is not set.*PAYPAL_WEBHOOK_CERTS is not set/s,
  );
});

test('it takes several webhooks and needs at least one', () => {
  const read = (ids: string) => readConfig([paypal.routeConfig], { ...environment, PAYPAL_WEBHOOK_IDS: ids });

  expect(read('WEBHOOK1, WEBHOOK2')).toMatchObject({ PAYPAL_WEBHOOK_IDS: ['WEBHOOK1', 'WEBHOOK2'] });
  for (const ids of [',', 'WEBHOOK1,WEB|HOOK', 'WEBHOOK1|2027', 'X'.repeat(51)]) {
    expect(() => read(ids)).toThrow('PAYPAL_WEBHOOK_IDS must be ids of webhooks');
  }
});

test('it asks PayPal itself unless it is told where else', () => {
  expect(readConfig([paypal.config], { ...environment, PAYPAL_URL: '' })).toMatchObject({
    PAYPAL_URL: 'https://api-m.paypal.com',
  });
});
