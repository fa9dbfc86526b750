import { expect, test } from '@jest/globals';
import { lockOfApp, type Lock } from './app-lock.ts';

const LOCK: Lock = {
  packages: {
    '': { workspaces: ['apps/*', 'libs/*'], devDependencies: { jest: '1.0.0' } },
    'apps/api': {
      version: '1.2.3',
      dependencies: { tasks: '1.2.3', express: '5.0.0' },
      devDependencies: { kit: '1.2.3' },
    },
    'apps/worker': { version: '1.2.3', dependencies: { tasks: '1.2.3', undici: '7.0.0' } },
    'libs/tasks': { version: '1.2.3', dependencies: { redis: '6.0.0' }, devDependencies: { kit: '1.2.3' } },
    'libs/tasks/node_modules/redis': { version: '6.0.0' },
    'libs/kit': { version: '1.2.3', dependencies: { jest: '1.0.0' } },
    'libs/kit/node_modules/jest': { version: '0.9.0' },
    'node_modules/api': { resolved: 'apps/api', link: true },
    'node_modules/worker': { resolved: 'apps/worker', link: true },
    'node_modules/tasks': { resolved: 'libs/tasks', link: true },
    'node_modules/kit': { resolved: 'libs/kit', link: true },
    'node_modules/express': { version: '5.0.0' },
    'node_modules/express/node_modules/ms': { version: '2.0.0' },
  },
};

test('an app keeps the libs it reaches, and what they need to run', () => {
  const { lock, folders } = lockOfApp(LOCK, 'apps/api');
  expect(folders).toEqual(['apps/api', 'libs/tasks']);
  expect(lock.packages).toEqual({
    '': { workspaces: ['apps/api', 'libs/tasks'] },
    'apps/api': { version: '1.2.3', dependencies: { tasks: '1.2.3', express: '5.0.0' } },
    'libs/tasks': { version: '1.2.3', dependencies: { redis: '6.0.0' } },
    'libs/tasks/node_modules/redis': { version: '6.0.0' },
    'node_modules/api': { resolved: 'apps/api', link: true },
    'node_modules/tasks': { resolved: 'libs/tasks', link: true },
    'node_modules/express': { version: '5.0.0' },
    'node_modules/express/node_modules/ms': { version: '2.0.0' },
  });
});

test('an app that the lock does not know is refused', () => {
  expect(() => lockOfApp(LOCK, 'apps/shop')).toThrow('package-lock.json knows no apps/shop');
});
