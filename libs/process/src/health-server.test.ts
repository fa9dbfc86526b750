import { afterEach, describe, expect, test } from '@jest/globals';
import { leakChecks } from '@coordinator/task-testing';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { createHealthServer, type HealthOptions } from './health-server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));
leakChecks();

/** The answer of a health server to one GET. */
async function ask(path: string, change: Partial<HealthOptions> = {}) {
  const server = createHealthServer({
    release: '1.2.3',
    started: () => true,
    draining: () => false,
    assertWritable: async () => undefined,
    metricsText: async () => 'coordinator_jobs_accepted_total 1\n',
    ...change,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => new Promise((resolve) => server.close(() => resolve())));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return { status: answer.status, text: await answer.text() };
}

describe('the probes of a process', () => {
  test('are good while Redis can be written', async () => {
    expect((await ask('/readyz')).status).toBe(200);
  });

  test('say that it is not ready while Redis is away, and that it is alive', async () => {
    const away = { assertWritable: () => Promise.reject(new Error('away')) };
    expect(await ask('/readyz', away)).toEqual({ status: 503, text: '{"status":"redis-unavailable"}' });
    expect((await ask('/livez', away)).status).toBe(200);
  });

  test('say whether it has started, whatever has become of it since', async () => {
    const { text, status } = await ask('/startupz', { started: () => false });
    expect([status, text]).toEqual([503, '{"status":"starting"}']);
    const since = { draining: () => true, assertWritable: () => Promise.reject(new Error('away')) };
    expect((await ask('/startupz', since)).status).toBe(200);
    expect((await ask('/livez', { started: () => false })).status).toBe(200);
  });

  test('say that it is draining', async () => {
    expect((await ask('/readyz', { draining: () => true })).text).toBe('{"status":"draining"}');
  });

  test('tell release and metrics, and nothing else', async () => {
    expect((await ask('/version')).text).toBe('{"release":"1.2.3"}');
    expect((await ask('/metrics')).text).toContain('coordinator_jobs_accepted_total 1');
    expect((await ask('/etc/passwd')).status).toBe(404);
  });

  test('leave every other path to what is served beside them, whatever its host', async () => {
    const others: HealthOptions['others'] = (request, response) => void response.end(`beside: ${request.url}`);
    expect(await ask('/admin/v1/queues', { others })).toEqual({ status: 200, text: 'beside: /admin/v1/queues' });
    expect((await ask('/livez', { others })).text).toBe('{"status":"ok"}');
  });

  test('answer 500 when the metrics cannot be read', async () => {
    expect((await ask('/metrics', { metricsText: () => Promise.reject(new Error('boom')) })).status).toBe(500);
  });

  test('close a connection that says nothing', async () => {
    const server = createHealthServer({
      release: '1.2.3',
      started: () => true,
      draining: () => false,
      assertWritable: async () => undefined,
      metricsText: async () => '',
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(() => resolve())));
    const startedAt = performance.now();
    const silent = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
    await once(silent, 'close');
    expect(performance.now() - startedAt).toBeLessThan(5_500);
  });
});
