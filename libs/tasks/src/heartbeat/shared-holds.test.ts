import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as nextTimer } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SharedHolds } from './shared-holds.ts';

const hold = (n: number) => ({ jobId: `job-${n}`, token: `token-${n}` });
const holds = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => hold(from + i));

test('the other side reads what was written and what was claimed since, by queue', () => {
  const written = new SharedHolds(10);
  const read = new SharedHolds(written.buffer);
  expect(read.read()).toEqual(new Map());
  written.replace(new Map([['orders', [hold(1)]]]));
  written.add('mails', [hold(2)]);
  written.add('orders', [hold(3), { jobId: 'a "b"\n', token: 'ü' }]);
  expect(read.read()).toEqual(
    new Map([
      ['orders', [hold(1), hold(3), { jobId: 'a "b"\n', token: 'ü' }]],
      ['mails', [hold(2)]],
    ]),
  );
  written.replace(new Map([['orders', [hold(3)]]]));
  expect(read.read()).toEqual(new Map([['orders', [hold(3)]]]));
});

test('says that there is no room left, and keeps what it has', () => {
  const shared = new SharedHolds(1);
  let held = 0;
  while (shared.add('orders', holds(held, held + 1_000))) held += 1_000;
  expect(shared.read()?.get('orders')).toHaveLength(held);
  const lasting = new Map([['orders', holds(0, 10)]]);
  shared.replace(lasting);
  expect(shared.read()).toEqual(lasting);
  expect(() => shared.replace(new Map([['orders', holds(0, 100_000)]]))).toThrow(RangeError);
});

test('a thread that reads all the time never sees a part of what is written anew', async () => {
  const shared = new SharedHolds(1_000);
  const states = [new Map([['orders', holds(0, 300)]]), new Map([['mails', holds(500, 600)]])] as const;
  shared.replace(states[0]);
  const reader = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
     const { SharedHolds } = require(workerData.file);
     const shared = new SharedHolds(workerData.buffer);
     const seen = new Set();
     for (let reads = 0; reads < 1_000; ) {
       const holds = shared.read();
       if (!holds) continue;
       seen.add(JSON.stringify([...holds]));
       reads += 1;
     }
     parentPort.postMessage([...seen]);`,
    {
      eval: true,
      execArgv: ['--conditions=@coordinator/source', '--require', '@swc-node/register'],
      workerData: { buffer: shared.buffer, file: join(__dirname, 'shared-holds.ts') },
    },
  );
  let seen: string[] | undefined;
  reader.once('message', (message: string[]) => (seen = message));
  const ended = once(reader, 'exit');
  for (let turn = 1; seen === undefined; turn += 1) {
    shared.replace(states[turn % 2 === 0 ? 0 : 1]);
    await nextTimer(0);
  }
  await ended;
  expect(seen.sort()).toEqual(states.map((state) => JSON.stringify([...state])).sort());
});
