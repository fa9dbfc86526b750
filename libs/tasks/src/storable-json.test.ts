import { Secret } from '@coordinator/config';
import { runTask } from '@coordinator/task-testing';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { prepareJob } from './new-job.ts';
import { storableJson } from './storable-json.ts';
import { defineTask } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';

const task = defineTask({ name: 'shop.pay', payload: z.object({ order: z.unknown() }) });
const origin = { catalog: new TaskCatalog([{ task, queue: 'shop' }]), release: 'test' };

describe('what is stored of a job', () => {
  test.each([
    ['itself', new Secret('hunter2'), 'a Secret of'],
    ['within', { customer: [{ card: new Secret('hunter2') }] }, 'a Secret in "card" of'],
  ])('is no Secret: %s', (_where, value, words) => {
    let message = 'nothing was refused';
    try {
      storableJson(value, 'the payload of shop.pay');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain(words);
    expect(message).not.toContain('hunter2');
  });

  test('may be a text that looks like one', () => {
    expect(storableJson({ name: '[secret]' }, 'a payload')).toBe('{"name":"[secret]"}');
    expect(storableJson(undefined, 'a result')).toBeUndefined();
  });

  test('is refused before it is accepted', () => {
    const request = { task, payload: { order: { key: new Secret('hunter2') } }, options: {} };
    expect(() => prepareJob(request, origin)).toThrow(expect.objectContaining({ code: 'COORD_PAYLOAD_SECRET' }));
  });

  test('is refused as the result of a step', async () => {
    const { outcome } = await runTask(
      task,
      async (_payload, { step }) => void (await step('key', async () => new Secret('hunter2'))),
      { order: {} },
    );
    expect(outcome).toMatchObject({ kind: 'retried', error: { code: 'COORD_PAYLOAD_SECRET' } });
  });
});
