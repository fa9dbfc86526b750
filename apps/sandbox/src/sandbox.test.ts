import type { Extension, Fake } from '@coordinator/extension';
import { silentLogger } from '@coordinator/logging';
import type { FakeServer } from '@coordinator/task-testing';
import { afterEach, expect, test } from '@jest/globals';
import { environmentLines, startSandbox } from './sandbox.ts';

function extension(name: string, fake?: Fake): Extension {
  return { name, fake: fake && (async () => fake) } as Extension;
}
const mail: Fake = {
  environment: (baseUrl) => ({ MAIL_URL: baseUrl, MAIL_KEY: 'sandbox-key' }),
  routes: [{ name: 'mail.send', method: 'POST', path: '/messages', handle: () => ({ status: 202 }) }],
};
const extensions = [extension('orders'), extension('mail', mail)];

let server: FakeServer | undefined;
afterEach(async () => server?.close());

test('the sandbox plays the fakes of the extensions that have one and says where', async () => {
  const lines: unknown[] = [];
  const log = { ...silentLogger, info: (fields: unknown) => lines.push(fields) };
  server = await startSandbox({ extensions, port: 0, apiUrl: 'http://127.0.0.1:1', log });
  expect(lines).toEqual([{ url: server.url, apiUrl: 'http://127.0.0.1:1', fakes: ['mail'] }]);
  expect((await fetch(`${server.url}/mail/messages`, { method: 'POST' })).status).toBe(202);
});

test('the printed environment points every extension to the sandbox', async () => {
  expect(await environmentLines(extensions, 8090)).toBe('MAIL_URL=http://127.0.0.1:8090/mail\nMAIL_KEY=sandbox-key\n');
});
