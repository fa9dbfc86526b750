import { describe, expect, test } from '@jest/globals';
import type { ClientEntry } from '../driver/client-ledger.ts';
import type { EffectRow } from '../sink/effect-ledger.ts';
import { check, type Books } from './checker.ts';

const sent = (key: string, jobIds: string[], more: Partial<ClientEntry> = {}): ClientEntry => ({
  ...{ key, jobIds: new Set(jobIds), unknown: 0, refused: 0 },
  ...more,
});
const effect = (note: string, jobId: string, more: Partial<EffectRow> = {}): EffectRow => ({
  ...{ note, jobId, destination: 'main', idempotencyKey: `${jobId}:deliver`, attempt: 1, pid: 1, at: 0, repeats: 0 },
  ...more,
});
const checked = (books: Partial<Books>) =>
  check({ sent: [], effects: [], dead: new Set(), starts: new Map(), ...books });
const sound = checked({});

describe('the checker', () => {
  test('finds nothing where every accepted job was done once, or is a dead letter', () => {
    const books = {
      sent: [sent('a', ['1']), sent('b', ['2']), sent('c', [], { refused: 2 })],
      effects: [effect('a', '1')],
      dead: new Set(['2']),
      starts: new Map([
        ['1', 1],
        ['2', 1],
      ]),
    };
    expect(checked(books)).toEqual(sound);
  });

  test('finds a job that was accepted and never done', () => {
    expect(checked({ sent: [sent('a', ['1']), sent('b', ['2'])], effects: [effect('a', '1')] }).lost).toEqual(['2']);
  });

  test('finds an effect of a request that was refused', () => {
    const books = { sent: [sent('a', [], { refused: 1 })], effects: [effect('a', '1')] };
    expect(checked(books).ghosts).toEqual(['1']);
  });

  test('takes no effect for a ghost whose sender was told that it may happen', () => {
    const books = { sent: [sent('a', [], { unknown: 1 })], effects: [effect('a', '1')] };
    expect(checked(books)).toEqual(sound);
  });

  test('finds a job with two effects', () => {
    const twice = [effect('a', '1'), effect('a', '1', { idempotencyKey: 'another' })];
    expect(checked({ sent: [sent('a', ['1'])], effects: twice }).duplicateEffects).toEqual(['1']);
  });

  test('finds a key that was answered with two jobs', () => {
    const books = { sent: [sent('a', ['1', '2'])], effects: [effect('a', '1')], dead: new Set(['2']) };
    expect(checked(books).dividedKeys).toEqual(['a']);
  });

  test('finds a key of which two jobs were done, though only one was acknowledged', () => {
    const books = { sent: [sent('a b', ['1'], { unknown: 1 })], effects: [effect('a b', '1'), effect('a b', '2')] };
    expect(checked(books).dividedKeys).toEqual(['a b']);
  });

  test('finds a lane whose order was turned round, and no other', () => {
    const inLane = (lane: string, seq: number) => effect('x', `${lane}${seq}`, { lane, seq });
    const effects = [inLane('l', 1), inLane('m', 1), inLane('l', 3), inLane('l', 2), inLane('m', 2)];
    expect(checked({ effects }).inversions).toEqual(['l']);
  });

  test('counts starts beyond the first, and repeated calls', () => {
    const starts = new Map([
      ['1', 1],
      ['2', 3],
      ['3', 2],
    ]);
    const books = { sent: [sent('a', ['1'])], effects: [effect('a', '1', { repeats: 2 })], starts };
    expect(checked(books)).toMatchObject({ duplicateStarts: 3, repeatedCalls: 2 });
  });
});
