import { describe, expect, test } from '@jest/globals';
import { apiSuite, codeOf, order } from './fixtures/api-suite.ts';
import { orderBody, webhookRequest } from './fixtures/raw-request.ts';

const { redis, start, open, ask, begin } = apiSuite();

const overload = { maxHeldBytes: 300_000 };
const CHUNKED = { 'transfer-encoding': 'chunked', 'content-length': undefined };

/** An order of 200 kB. */
const large = (orderNumber: string) => order(orderNumber, { body: orderBody().padEnd(200_000) });
/** A request of which 250 kB are announced and so many sent. */
const unfinished = (bytes: number) =>
  order('D-1', { body: ' '.repeat(bytes), headers: { 'content-length': '250000' } });

describe('bodies that would fill the memory', () => {
  test('are refused from whoever has been sending for the longest', async () => {
    const api = await start({ overload });
    const first = await begin(api, unfinished(200_000));
    const second = await begin(api, unfinished(50_000));
    const third = open(api).write(large('D-3'));
    const [refused] = await first.answered();
    await first.closed();
    expect(refused).toMatchObject({ status: 503 });
    expect(codeOf(refused!)).toBe('COORD_OVERLOADED');
    expect(refused!.headers.get('retry-after')).toBe('1');
    expect((await third.answered())[0]).toMatchObject({ status: 202 });
    expect([second.answers, second.closedAfterMs]).toEqual([[], undefined]);
  });

  test('are refused from strangers, too', async () => {
    const api = await start({ overload });
    const event = webhookRequest({ body: ' '.repeat(200_000), headers: { 'content-length': '250000' } });
    const first = await begin(api, event);
    await begin(api, event);
    expect((await first.answered())[0]).toMatchObject({ status: 503 });
  });

  test('are refused long before their bytes fill it when they come byte by byte', async () => {
    const api = await start({ overload });
    const refused = await ask(api, order('D-1', { headers: CHUNKED, body: '1\r\n \r\n'.repeat(2_000) }));
    expect(refused).toMatchObject({ status: 503 });
  });

  test('are counted until their jobs are written', async () => {
    const api = await start({ overload });
    redis.server.pause();
    const writing = await begin(api, large('D-1'));
    const refused = await ask(api, large('D-2'));
    redis.server.resume();
    expect(refused).toMatchObject({ status: 503 });
    expect((await writing.answered())[0]).toMatchObject({ status: 202 });
  });

  test.each([
    ['accepted', 202, () => large('D-1')],
    ['no JSON', 400, () => order('D-1', { body: '['.repeat(200_000) })],
    ['not what the route takes', 422, () => order('D-1', { body: '{}'.padEnd(200_000) })],
    ['too large', 413, () => order('D-1', { headers: CHUNKED, body: `41000\r\n${' '.repeat(0x41000)}\r\n0\r\n\r\n` })],
    ['badly framed', 400, () => order('D-1', { headers: CHUNKED, body: `30000\r\n${' '.repeat(0x30000)}\r\nzz\r\n` })],
  ])('are not counted any more when they were %s', async (_what, status, bytes) => {
    const api = await start({ overload });
    expect((await ask(api, bytes())).status).toBe(status);
    expect((await ask(api, bytes())).status).toBe(status);
    expect((await ask(api, large('D-2'))).status).toBe(202);
  });
});
