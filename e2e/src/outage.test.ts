import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { startStack, type StackOptions } from '@coordinator/tools';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { Coordinator } from './coordinator.ts';

const started: Coordinator[] = [];

async function start(options: StackOptions = {}): Promise<Coordinator> {
  const coordinator = new Coordinator(await startStack(options));
  started.push(coordinator);
  return coordinator;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map(({ stack }) => stack.stop()));
}, 60_000);

/** What a probe answers; 0 when nobody listens. */
async function status(url: string): Promise<number> {
  try {
    const answer = await request(url);
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return 0;
  }
}

/** Waits until the one effect of every order has happened, and none twice. */
async function deliveredOnce(coordinator: Coordinator, orderNumbers: readonly string[], deadlineMs = 30_000) {
  await eventually(
    async () => {
      for (const orderNumber of orderNumbers) {
        const effects = await coordinator.ledger(orderNumber);
        expect(effects.map(({ effect }) => effect)).toEqual(['lms.enrol']);
        const timeline = await coordinator.timeline(orderNumber);
        expect(timeline.map(({ state }) => state)).toEqual(['completed', 'completed']);
      }
    },
    { deadlineMs },
  );
}

describe('when a process dies', () => {
  test('a worker killed in the middle of a call: another attempt, one effect', async () => {
    const coordinator = await start({ env: { WORKER_LEASE_MS: '1500' } });
    const order = coordinator.newOrder();
    await coordinator.fail('lms.enrol', 'slow', { count: 1, delayMs: 20_000 });
    await coordinator.placeOrder(order);
    await eventually(async () => expect(await coordinator.faultsLeft()).toBe(0));
    const [worker] = coordinator.stack.worker;
    worker?.kill('SIGKILL');
    await worker?.exited;
    await worker?.restart();

    await deliveredOnce(coordinator, [order.orderNumber]);
    const [, enrol] = await coordinator.timeline(order.orderNumber);
    expect(enrol?.attempt).toBe(2);
  }, 60_000);

  test('SIGTERM under load: nothing is lost, exit code 0', async () => {
    const coordinator = await start({ workers: 2, env: { WORKER_LEASE_MS: '5000' } });
    const orders = Array.from({ length: 60 }, () => coordinator.newOrder());
    const answers = orders.map((order) => coordinator.placeOrder(order));
    await Promise.all(answers.slice(0, 10));
    const [first] = coordinator.stack.worker;
    first?.kill('SIGTERM');
    expect(await first?.exited).toEqual({ code: 0, signal: null });
    for (const answer of answers) expect((await answer).status).toBe(202);
    await deliveredOnce(
      coordinator,
      orders.map((order) => order.orderNumber),
    );
    const [api] = coordinator.stack.api;
    api?.kill('SIGTERM');
    expect(await api?.exited).toEqual({ code: 0, signal: null });
  }, 90_000);
});

/** Required by node before our own code: has a process fail in the way that a signal asks for. */
const FAILURES = `
  process.on('SIGUSR2', () => { throw new Error('nobody catches this'); });
  process.on('SIGHUP', () => { Promise.reject(new Error('nobody catches this')); });
`;

describe('when a process meets an error that nobody catches', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coordinator-failures-'));
  const preload = join(folder, 'failures.cjs');
  writeFileSync(preload, FAILURES);
  afterAll(() => rmSync(folder, { recursive: true }));
  const NODE_OPTIONS = `--require=${preload}`;

  test.each([
    ['an exception', 'SIGUSR2'],
    ['a rejection', 'SIGHUP'],
  ] as const)(
    '%s: it says so, claims nothing more, exits with 1, and its job goes on elsewhere',
    async (_what, signal) => {
      // Takes telemetry and never answers, so that the process is there for as long as it may be.
      const silent = await silentServer();
      const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${silent.port}`;
      const coordinator = await start({
        workers: 2,
        env: { NODE_OPTIONS, OTEL_EXPORTER_OTLP_ENDPOINT, WORKER_LEASE_MS: '1500', WORKER_CONCURRENCY: '1' },
      });
      // With one slot each, both workers have one of these two.
      const [one, two] = [coordinator.newOrder(), coordinator.newOrder()];
      await coordinator.fail('lms.enrol', 'slow', { count: 2, delayMs: 5_000 });
      await Promise.all([coordinator.placeOrder(one), coordinator.placeOrder(two)]);
      await eventually(async () => expect(await coordinator.faultsLeft()).toBe(0), { deadlineMs: 20_000 });

      const [failing] = coordinator.stack.worker;
      failing?.kill(signal);
      const last = () => failing?.lines.findIndex((line) => line.includes('the process cannot go on')) ?? -1;
      await eventually(() => expect(last()).toBeGreaterThan(-1));
      const later = [coordinator.newOrder(), coordinator.newOrder(), coordinator.newOrder()];
      await Promise.all(later.map((order) => coordinator.placeOrder(order)));
      expect(await failing?.exited).toEqual({ code: 1, signal: null });
      const lines = failing?.lines ?? [];
      expect(JSON.parse(lines[last()] ?? '')).toMatchObject({
        level: 'fatal',
        err: { message: 'nobody catches this' },
      });
      expect(lines.slice(last()).filter((line) => line.includes('attempt'))).toEqual([]);

      await deliveredOnce(
        coordinator,
        [one, two, ...later].map(({ orderNumber }) => orderNumber),
        60_000,
      );
      const attempts = await Promise.all([one, two].map(({ orderNumber }) => coordinator.timeline(orderNumber)));
      expect(attempts.map(([, enrol]) => enrol?.attempt).sort()).toEqual([1, 2]);
      silent.close();
    },
    120_000,
  );

  test('what it has traced until then is exported', async () => {
    const coordinator = await start({ env: { NODE_OPTIONS, OTEL_BSP_SCHEDULE_DELAY: '600000' } });
    const order = coordinator.newOrder();
    await coordinator.placeOrder(order);
    await deliveredOnce(coordinator, [order.orderNumber]);
    const [, enrol] = await coordinator.timeline(order.orderNumber);
    expect(await coordinator.spans(enrol?.traceId ?? '')).toEqual([]);

    const [worker] = coordinator.stack.worker;
    worker?.kill('SIGUSR2');
    expect(await worker?.exited).toEqual({ code: 1, signal: null });
    const names = (await coordinator.spans(enrol?.traceId ?? '')).map(({ name }) => name);
    expect(names).toContain('process lms.enrol');
  }, 60_000);
});

describe('when Redis is away', () => {
  test('killed: 503 with Retry-After within 1.2 s, and all goes on when it is back, without restarting anything', async () => {
    const coordinator = await start();
    const before = coordinator.newOrder();
    await coordinator.placeOrder(before);
    await coordinator.stack.redis?.kill();

    const refusedAt = performance.now();
    const refused = await coordinator.placeOrder(coordinator.newOrder());
    expect(performance.now() - refusedAt).toBeLessThan(1_200);
    expect(refused).toMatchObject({ status: 503, body: { code: 'COORD_QUEUE_UNAVAILABLE' } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await coordinator.get('/livez')).status).toBe(200);
    // What Redis has answered half a second ago may still be told.
    await eventually(async () => expect((await coordinator.get('/readyz')).status).toBe(503), { deadlineMs: 2_000 });

    await coordinator.stack.redis?.restart();
    const after = coordinator.newOrder();
    await eventually(async () => expect((await coordinator.placeOrder(after)).status).toBe(202));
    await deliveredOnce(coordinator, [before.orderNumber, after.orderNumber]);
  }, 60_000);

  test('frozen: 503 within 1.2 s that says the outcome is unknown, and repeating the order makes one of it', async () => {
    const coordinator = await start();
    const order = coordinator.newOrder();
    coordinator.stack.redis?.pause();
    const refusedAt = performance.now();
    const refused = await coordinator.placeOrder(order);
    expect(performance.now() - refusedAt).toBeLessThan(1_200);
    expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining('same idempotency key') } });

    coordinator.stack.redis?.resume();
    await eventually(async () => expect((await coordinator.placeOrder(order)).status).toBe(202));
    await deliveredOnce(coordinator, [order.orderNumber]);
  }, 60_000);

  test('at the start: the processes wait for it, are ready when it comes, and have started for good', async () => {
    const coordinator = await start();
    const { urls } = coordinator.stack;
    const [worker] = coordinator.stack.worker;
    await coordinator.stack.redis?.kill();
    await worker?.stop();
    worker?.start();
    const [api] = coordinator.stack.api;
    await api?.stop();
    api?.start();
    const probes = (path: string) =>
      Promise.all([urls.api, urls.admin, urls.workers[0]].map((at) => status(`${at}${path}`)));
    await eventually(async () => expect(await probes('/livez')).toEqual([200, 200, 200]));
    expect(await probes('/startupz')).toEqual([503, 503, 503]);
    await coordinator.stack.redis?.restart();
    await worker?.ready();
    await eventually(async () => expect(await probes('/startupz')).toEqual([200, 200, 200]));
    const order = coordinator.newOrder();
    await eventually(async () => expect((await coordinator.placeOrder(order)).status).toBe(202));
    await deliveredOnce(coordinator, [order.orderNumber]);
    await coordinator.stack.redis?.kill();
    await eventually(async () => expect(await probes('/readyz')).toEqual([503, 503, 503]));
    expect(await probes('/startupz')).toEqual([200, 200, 200]);
  }, 60_000);
});

/** Takes connections, and says nothing. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.resume().on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
