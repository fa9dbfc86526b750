import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientLedger } from './client-ledger.ts';

let dir: string;
let ledger: ClientLedger;
const path = () => join(dir, 'ledger');

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prove-ledger-'));
  ledger = await ClientLedger.open(path());
});
afterEach(async () => {
  await ledger.close();
  await rm(dir, { recursive: true });
});

describe('the ledger of those who send', () => {
  test('counts a 202 only once its line is on disk', async () => {
    const acked = ledger.ack('key-1', 'job-1');
    expect(ledger.acked).toBe(0);
    await acked;
    expect(ledger.acked).toBe(1);
    expect(await readFile(path(), 'utf8')).toBe('key-1 job-1\n');
  });

  test('writes down all that come at once', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, i) => ledger.ack(`key-${i}`, `job-${i}`)));
    expect((await readFile(path(), 'utf8')).trim().split('\n')).toHaveLength(500);
    expect(ledger.jobIds).toHaveLength(500);
  });

  test('remembers every job that a key was answered with, and what was refused or left open', async () => {
    ledger.refuse('key-1');
    ledger.unknown('key-1');
    await ledger.ack('key-1', 'job-1');
    await ledger.ack('key-1', 'job-1');
    await ledger.ack('key-1', 'job-2');
    expect(ledger.entries).toEqual([{ key: 'key-1', jobIds: new Set(['job-1', 'job-2']), unknown: 1, refused: 1 }]);
    expect(ledger.acked).toBe(1);
  });
});
