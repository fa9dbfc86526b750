import { expect, test } from '@jest/globals';
import { repeat } from './repeat.ts';

test('a failing run is reported and does not end the repetition', async () => {
  const errors: unknown[] = [];
  let runs = 0;
  await new Promise<void>((resolve) => {
    const repetition = repeat(
      1,
      async () => {
        runs += 1;
        if (runs === 3) void repetition.stop().then(resolve);
        else throw new Error(`run ${runs}`);
      },
      (error) => errors.push(error),
    );
  });
  expect(runs).toBe(3);
  expect(errors.map(String)).toEqual(['Error: run 1', 'Error: run 2']);
});

test('stop() waits for the run in progress and starts no other', async () => {
  const events: string[] = [];
  let begun = () => undefined as void;
  const started = new Promise<void>((resolve) => (begun = resolve));
  let finish = () => undefined as void;
  const gate = new Promise<void>((resolve) => (finish = resolve));
  const repetition = repeat(
    1,
    async () => {
      events.push('run');
      begun();
      await gate;
      events.push('ended');
    },
    () => undefined,
  );
  await started;
  const stopped = repetition.stop().then(() => events.push('stopped'));
  finish();
  await stopped;
  expect(events).toEqual(['run', 'ended', 'stopped']);
});
