import { expect, test } from '@jest/globals';
import { ConnectionSlots } from './connection-slots.ts';

const never = new AbortController().signal;

test('slots are handed out in order of asking', async () => {
  const slots = new ConnectionSlots(1);
  const order: string[] = [];
  const first = (await slots.take(never))!;
  const turns = ['a', 'b', 'c'].map(async (name) => {
    const giveBack = (await slots.take(never))!;
    order.push(name);
    giveBack();
  });
  first();
  await Promise.all(turns);
  expect(order).toEqual(['a', 'b', 'c']);
});

test('a slot given back twice is one slot', async () => {
  const slots = new ConnectionSlots(1);
  const giveBack = (await slots.take(never))!;
  giveBack();
  giveBack();
  await slots.take(never);
  const late = new AbortController();
  const second = slots.take(late.signal);
  late.abort(new Error('nothing was free'));
  await expect(second).rejects.toThrow('nothing was free');
});

test('one who stops waiting loses nothing for the others', async () => {
  const slots = new ConnectionSlots(1);
  const giveBack = (await slots.take(never))!;
  const impatient = new AbortController();
  const left = slots.take(impatient.signal);
  const stayed = slots.take(never);
  impatient.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  giveBack();
  await expect(stayed).resolves.toBeInstanceOf(Function);
});

test('one who comes too late takes none', async () => {
  const slots = new ConnectionSlots(1);
  await expect(slots.take(AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
  await expect(slots.take(never)).resolves.toBeInstanceOf(Function);
});
