import { expect, test } from '@jest/globals';
import { readConfig, Registry } from '@coordinator/extension';
import { stripeFake } from './fake.ts';
import { stripe } from './index.ts';

const environment = stripeFake.environment('http://127.0.0.1:1');

test('its configuration, tasks, handlers and routes fit together', async () => {
  const registry = new Registry([stripe]);
  const config = readConfig([stripe.routeConfig], { ...environment });
  const handlerOf = await registry.loadHandlers(config);

  expect(registry.catalog.readable()).toEqual(['stripe.record-event@1-1']);
  expect(handlerOf('stripe.record-event')).toBeInstanceOf(Function);
  expect(registry.routes(config).map(({ route }) => route.path)).toEqual(['/webhooks/stripe']);
});

test('it takes several secrets and needs at least one', () => {
  expect(() => readConfig([stripe.routeConfig], {})).toThrow('STRIPE_WEBHOOK_SECRETS is not set');
  expect(readConfig([stripe.routeConfig], { STRIPE_WEBHOOK_SECRETS: 'whsec_new,whsec_old' })).toMatchObject({
    STRIPE_WEBHOOK_SECRETS: { length: 2 },
  });
});
