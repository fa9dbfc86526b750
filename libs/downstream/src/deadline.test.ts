import { getEventListeners, getMaxListeners } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { Deadline } from './deadline.ts';

const deadlines: Deadline[] = [];
const deadlineOf = (timeoutMs: number, caller?: AbortSignal): Deadline => {
  const deadline = new Deadline(timeoutMs, caller);
  deadlines.push(deadline);
  return deadline;
};
afterEach(() => deadlines.splice(0).forEach((deadline) => deadline.end()));

const endless = new Promise<never>(() => undefined);

test('work that takes too long is not waited for', async () => {
  await expect(deadlineOf(5).waitFor(endless)).rejects.toBe(Deadline.timedOut);
});

test('work that is done in time gives its result, and its failure', async () => {
  await expect(deadlineOf(60_000).waitFor(Promise.resolve(1))).resolves.toBe(1);
  await expect(deadlineOf(60_000).waitFor(Promise.reject(new Error('x')))).rejects.toThrow('x');
});

test('the caller ends it with a reason, before or while work goes on', async () => {
  const caller = new AbortController();
  const waiting = deadlineOf(60_000, caller.signal).waitFor(endless);
  caller.abort('enough');
  await expect(waiting).rejects.toBe('enough');
  await expect(deadlineOf(60_000, caller.signal).waitFor(endless)).rejects.toBe('enough');
});

test('a signal may be given to any number of calls and keeps none of them', async () => {
  const { signal } = new AbortController();
  const deadline = deadlineOf(60_000, signal);
  await deadline.waitFor(Promise.resolve());
  expect([getMaxListeners(signal), getEventListeners(signal, 'abort').length]).toEqual([Infinity, 1]);
  deadline.end();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  expect(getEventListeners(deadline.signal, 'abort')).toHaveLength(0);
});
