import { apiRoute, bearerToken, defineExtension, defineTask } from '@coordinator/extension';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { apiSuite, codeOf, jobOf, order } from './fixtures/api-suite.ts';
import { orderBody, webhookRequest, type RequestChange } from './fixtures/raw-request.ts';

const { redis, start, open, ask, begin, storedJobs } = apiSuite();

describe('an idempotency key', () => {
  const keyed = (key: string, change: RequestChange = {}) =>
    order('D-1', { ...change, headers: { 'idempotency-key': key, ...change.headers } });

  test('is asked for by a route that requires it, which says where to read about it', async () => {
    const note = defineTask({ name: 'notes.note', payload: z.strictObject({}) });
    const takeNote = apiRoute({
      ...{ path: '/v1/notes', summary: 'Note', auth: bearerToken(), body: note.payload, idempotencyKey: 'required' },
      accept: async (body, { queue, idempotencyKey }) => [await queue.enqueue(note, body, { idempotencyKey })],
    });
    const notes = defineExtension({
      ...{ name: 'notes', config: z.object({}), tasks: { note }, routes: () => [takeNote] },
      handlers: async () => ({ note: async () => undefined }),
    });
    const api = await start({ extensions: [notes] });
    const refused = await ask(api, order('D-1', { path: '/v1/notes', body: '{}' }));
    expect([refused.status, codeOf(refused)]).toEqual([400, 'COORD_IDEMPOTENCY_KEY_REQUIRED']);
    expect(refused.headers.get('link')).toMatch(/^<https:\/\/.*idempotency-key-header\/>; rel="describedby"$/);
    expect(await storedJobs()).toBe(0);
    expect((await ask(api, keyed('k1', { path: '/v1/notes', body: '{}' }))).status).toBe(202);
  });

  test('that was used gives the first answer again', async () => {
    const api = await start();
    const first = await ask(api, keyed('k1'));
    const again = await ask(api, keyed('"k1"'));
    expect(again).toMatchObject({ status: 202 });
    expect(jobOf(again)).toBe(jobOf(first));
    expect(first.headers.has('idempotency-replayed')).toBe(false);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await storedJobs()).toBe(1);
  });

  test('that was used for another body is refused', async () => {
    const api = await start();
    await ask(api, keyed('k1'));
    const refused = await ask(api, keyed('k1', { body: orderBody('"other"').replace('D-1001', 'D-1') }));
    expect(refused).toMatchObject({ status: 422 });
    expect(codeOf(refused)).toBe('COORD_IDEMPOTENCY_CONFLICT');
  });

  test('that was used for another body is refused, although its job would be the same', async () => {
    const api = await start();
    await ask(api, keyed('k1'));
    const refused = await ask(api, keyed('k1', { body: orderBody().replace('D-1001', 'D-1').replace('USD', 'EUR') }));
    expect(codeOf(refused)).toBe('COORD_IDEMPOTENCY_CONFLICT');
    expect(await ask(api, keyed('k1'))).toMatchObject({ status: 202 });
  });

  test('is the same word of another caller, and means another job', async () => {
    const api = await start();
    const first = await ask(api, keyed('k1'));
    const other = await ask(api, keyed('k1', { headers: { authorization: 'Bearer other-token' } }));
    expect(other).toMatchObject({ status: 202 });
    expect(jobOf(other)).not.toBe(jobOf(first));
  });

  test('is the same word on another route, and means another job', async () => {
    const note = defineTask({ name: 'notes.note', payload: z.strictObject({}) });
    const route = (path: `/v1/${string}`) =>
      apiRoute({
        ...{ path, summary: 'Note', auth: bearerToken(), body: note.payload },
        accept: async (body, { queue, idempotencyKey }) => [await queue.enqueue(note, body, { idempotencyKey })],
      });
    const notes = defineExtension({
      name: 'notes',
      config: z.object({}),
      tasks: { note },
      handlers: async () => ({ note: async () => undefined }),
      routes: () => [route('/v1/notes'), route('/v1/remarks')],
    });
    const api = await start({ extensions: [notes] });
    const ids = new Set<string>();
    for (const path of ['/v1/notes', '/v1/remarks', '/v1/notes'])
      ids.add(jobOf(await ask(api, keyed('k1', { path, body: '{}' }))));
    expect(ids.size).toBe(2);
  });

  test('whose request is being answered is refused for a moment, to its caller only', async () => {
    const api = await start();
    redis.server.pause();
    const first = await begin(api, keyed('k1'));
    const second = await ask(api, keyed('k1'));
    const other = open(api).write(keyed('k1', { headers: { authorization: 'Bearer other-token' } }));
    redis.server.resume();

    expect(second).toMatchObject({ status: 409 });
    expect(codeOf(second)).toBe('COORD_IDEMPOTENCY_IN_FLIGHT');
    expect(second.headers.get('retry-after')).toBe('1');
    expect((await other.answered())[0]).toMatchObject({ status: 202 });
    const [answer] = await first.answered();
    expect(answer).toMatchObject({ status: 202 });
    const replayed = await ask(api, keyed('k1'));
    expect(jobOf(replayed)).toBe(jobOf(answer!));
  });

  test('is free again when its request could not be answered', async () => {
    const api = await start();
    await ask(api, keyed('k1', { body: '{}' }));
    expect((await ask(api, keyed('k1'))).status).toBe(202);
  });

  test('of a webhook is not even read: nobody has signed it', async () => {
    const api = await start();
    const keyedEvent = webhookRequest({ headers: { 'idempotency-key': 'k'.repeat(300) } });
    const first = await ask(api, webhookRequest());
    const again = await ask(api, keyedEvent);
    expect(again).toMatchObject({ status: 202 });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(jobOf(again)).toBe(jobOf(first));
    expect(await storedJobs()).toBe(1);
  });
});
