import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EffectLedger, type EffectCall } from './effect-ledger.ts';

let dir: string;
let ledger: EffectLedger;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'prove-effects-'));
  ledger = new EffectLedger(join(dir, 'effects'));
});
afterEach(async () => {
  await ledger.close();
  await rm(dir, { recursive: true });
});

const call = (idempotencyKey: string): EffectCall => ({
  ...{ idempotencyKey, destination: 'main', jobId: '1', note: 'a', attempt: 1, pid: 1 },
});

describe('the ledger of effects', () => {
  test('has an effect once per key, and counts the calls that came again', () => {
    for (const key of ['k', 'k', 'l', 'k']) ledger.record(call(key));
    expect(ledger.rows().map(({ idempotencyKey, repeats }) => [idempotencyKey, repeats])).toEqual([
      ['k', 2],
      ['l', 0],
    ]);
  });

  test('sees that a call comes while another one of its key is under way, and not after', () => {
    expect(ledger.begin(call('k'))).toBe(false);
    expect(ledger.begin(call('l'))).toBe(false);
    expect(ledger.begin(call('k'))).toBe(true);
    ledger.end(call('k'));
    ledger.end(call('k'));
    expect(ledger.begin(call('k'))).toBe(false);
  });
});
