import { describe, expect, test } from '@jest/globals';
import { apiSuite, order } from './fixtures/api-suite.ts';

const { start, open, ask, storedJobs } = apiSuite();

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
