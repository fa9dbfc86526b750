import { expect, test } from '@jest/globals';
import { Exchange } from './exchange.ts';

test('a request that is given up before its turn has ended at once, and keeps its place until it is dropped', async () => {
  const caller = new AbortController();
  const exchange = new Exchange({ headersTimeoutMs: 1_000, maxResponseBytes: 1_000 }, caller.signal);
  let released = false;
  const release = exchange.released.then(() => (released = true));
  caller.abort();
  expect((await exchange.ending).fault).toMatchObject({ kind: 'unsent', type: 'aborted' });
  expect(released).toBe(false);
  exchange.onResponseError(undefined, new Error('dropped'));
  await release;
  expect((await exchange.ending).fault).toMatchObject({ kind: 'unsent', type: 'aborted' });
});
