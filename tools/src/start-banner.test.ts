import { expect, test } from '@jest/globals';
import { startBanner } from './start-banner.ts';

const urls = {
  api: 'http://127.0.0.1:8080',
  apis: ['http://127.0.0.1:8080'],
  admin: 'http://127.0.0.1:8081',
  workers: ['http://127.0.0.1:8082'],
  sandbox: 'http://127.0.0.1:8090',
  redis: 'redis://:hidden@127.0.0.1:6379',
};

test('the banner shows one order to place, and how to see what became of the same order', () => {
  const banner = startBanner({ urls, redisNote: 'data kept in x', env: {} });
  const [, number] = /"orderNumber":"([^"]+)"/.exec(banner) ?? [];
  expect(number).toMatch(/^D-\w+/);
  expect(banner).toContain(`/v1/subjects/order:${number}/jobs`);
  expect(banner).toContain('API_TOKENS=shop=dev-token');
  expect(banner).toContain('ADMIN_TOKENS=dev=dev-admin-token:read+operate+payload');
});

test('the banner shows no password and no token of somebody’s own', () => {
  const env = { API_TOKENS: 'shop=secret' };
  const banner = startBanner({ urls, redisNote: 'REDIS_URL', env });
  expect(banner).not.toContain('secret');
  expect(banner).not.toContain('hidden');
  expect(banner).not.toContain('dev-token');
});
