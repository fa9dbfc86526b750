import { describe, expect, test } from '@jest/globals';
import { apiSuite, codeOf, order } from './fixtures/api-suite.ts';
import { getRequest } from './fixtures/raw-request.ts';

const { redis, start, open, ask, storedJobs } = apiSuite();

describe('behind an answer that closes the connection', () => {
  test.each([
    ['a refused body', 415, () => order('D-1', { headers: { 'content-type': 'text/plain' } })],
    ['a caller without a token', 401, () => order('D-1', { headers: { authorization: undefined } })],
    ['an expectation', 417, () => order('D-1', { headers: { expect: 'miracles' } })],
    ['a body that is too large', 413, () => order('D-1', { body: ' '.repeat(300_000) })],
  ])('of %s nothing is done', async (_what, status, refused) => {
    const api = await start();
    const connection = open(api).write(Buffer.concat([refused(), order('D-2'), order('D-3')]));
    await connection.closed();
    expect(connection.answers.map((answer) => answer.status)).toEqual([status]);
    // Whatever was begun is written by now: Redis takes one write after the other.
    expect((await ask(api, order('D-4'))).status).toBe(202);
    expect(await storedJobs()).toBe(1);
  });

  test.each([
    ['while the process drains', { draining: () => true }, {}],
    ['to one who asks for another protocol', {}, { connection: 'upgrade', upgrade: 'h2c' }],
  ])('%s nothing is done', async (_when, options, headers) => {
    const api = await start(options);
    const connection = open(api).write(Buffer.concat([order('D-1', { headers }), order('D-2')]));
    await connection.closed();
    expect(connection.answers.map(({ status }) => status)).toEqual([202]);
    expect((await ask(api, order('D-3'))).status).toBe(202);
    expect(await storedJobs()).toBe(2);
  });

  test('what came before it is answered all the same', async () => {
    const api = await start();
    const refused = order('D-2', { headers: { 'content-type': 'text/plain' } });
    const connection = open(api).write(Buffer.concat([order('D-1'), refused, order('D-3')]));
    await connection.closed();
    expect(connection.answers.map(({ status }) => status)).toEqual([202, 415]);
    expect(await storedJobs()).toBe(1);
  });
});

describe('one connection', () => {
  test('waits for 32 answers at most: with the next request it is closed, and what came behind is not done', async () => {
    const api = await start();
    const connection = open(api).write(Buffer.concat(Array.from({ length: 40 }, (_, i) => order(`D-${i}`))));
    await connection.closed();
    const refused = connection.answers.at(-1)!;
    expect(connection.answers.map(({ status }) => status)).toEqual([...Array.from({ length: 32 }, () => 202), 503]);
    expect(codeOf(refused)).toBe('COORD_OVERLOADED');
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await ask(api, order('D-40'))).status).toBe(202);
    expect(await storedJobs()).toBe(33);
  });

  test('is closed with the answer to its last request, and what came behind is not done', async () => {
    const api = await start();
    expect(api.server.maxRequestsPerSocket).toBe(10_000);
    api.server.maxRequestsPerSocket = 3;
    const connection = open(api).write(Buffer.concat(Array.from({ length: 5 }, (_, i) => order(`D-${i}`))));
    await connection.closed();
    expect(connection.answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(connection.answers.map(({ headers }) => headers.get('connection'))).toEqual([
      'keep-alive',
      'keep-alive',
      'close',
    ]);
    expect(await storedJobs()).toBe(3);
  });

  test('is kept longer than load balancers keep it, so that it is they who close', async () => {
    const api = await start();
    const answer = await ask(api, getRequest('/livez'));
    expect(answer.headers.get('keep-alive')).toMatch(/^timeout=65\b/);
  });

  test('carries any number of requests when it waits for their answers', async () => {
    const api = await start();
    const connection = open(api);
    for (let turn = 1; turn <= 5; turn += 1) {
      connection.write(Buffer.concat(Array.from({ length: 20 }, () => getRequest('/livez'))));
      await connection.answered(20 * turn);
    }
    expect(connection.closedAfterMs).toBeUndefined();
  });

  test('that asks again and again whether the API is ready costs Redis one write', async () => {
    const api = await start();
    await redis.command('CONFIG', 'RESETSTAT');
    await open(api)
      .write(Buffer.concat(Array.from({ length: 30 }, () => getRequest('/readyz'))))
      .answered(30);
    expect(await redis.command('INFO', 'commandstats')).toMatch(/^cmdstat_set:calls=1,/m);
  });
});
