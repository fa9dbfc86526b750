import { beforeEach, describe, expect, test } from '@jest/globals';
import { RecordingLog } from '@coordinator/task-testing';
import { z } from 'zod';
import { aNote } from './conformance/bench.ts';
import { MemoryBackend } from './memory/memory-backend.ts';
import { MemoryClock } from './memory/memory-clock.ts';
import type { Outcome } from './outcome.ts';
import { runAttempt } from './run-attempt.ts';
import { defineTask, type AnyTask } from './task.ts';
import { TaskCatalog } from './task-catalog.ts';
import { TaskQueue } from './task-queue.ts';
import { upcast } from './upcaster.ts';

const NAME = 'warehouse.ship';
const parcelV1 = z.strictObject({ sku: z.string() });
const parcel = z.strictObject({ sku: z.string(), speed: z.enum(['normal', 'express']) });
const older = defineTask({ name: NAME, payload: parcelV1 });
const toNormal = upcast(parcelV1, parcel, (old) => ({ ...old, speed: 'normal' as const }));
const newer = defineTask({ name: NAME, payload: parcel, payloadVersion: 2, upcasters: { 1: toNormal } });
const contracted = defineTask({ name: NAME, payload: parcel, payloadVersion: 2, upcasters: {} });
const express = { sku: 'a', speed: 'express' } as const;

let backend: MemoryBackend;
let handled: unknown[];
beforeEach(() => {
  backend = new MemoryBackend(new MemoryClock());
  handled = [];
});

/** The API and a worker of a release that knows these tasks. */
function release(name: string, ...tasks: AnyTask[]) {
  const catalog = new TaskCatalog(tasks.map((task) => ({ task, queue: 'warehouse' })));
  const log = new RecordingLog();
  const common = { backend, catalog, routeEvent: () => [], release: name };
  const handlerOf = () => async (payload: unknown) => void handled.push(payload);
  return {
    log,
    queue: new TaskQueue(common),
    /** Of a job that waits, or else of one that is parked; undefined when there is none that can be read here. */
    attempt: async (): Promise<Outcome | undefined> => {
      const search = { leaseMs: 60_000, most: 1 };
      const claim =
        (await backend.claim('warehouse', backend.pop('warehouse') ?? 'nothing waits', 60_000)) ??
        (await backend.claimParked('warehouse', catalog.readable(), search)).claims[0];
      return claim && runAttempt(claim, { ...common, handlerOf, log }, new AbortController());
    },
  };
}

describe('a job of an older release', () => {
  test('reaches the handler of a newer one as its own payload', async () => {
    await release('1.0.0', older).queue.enqueue(older, { sku: 'a' });
    expect(await release('2.0.0', newer).attempt()).toEqual({ kind: 'completed' });
    expect(handled).toEqual([{ sku: 'a', speed: 'normal' }]);
  });

  test('waits for a worker of its own release where the upcaster is gone', async () => {
    const { jobId } = await release('1.0.0', older).queue.enqueue(older, { sku: 'a' });
    const newest = release('3.0.0', contracted);
    expect(await newest.attempt()).toEqual({ kind: 'parked', reason: 'payload-version-too-old' });
    expect(await newest.attempt()).toBeUndefined();

    const rolledBack = release('2.0.0', newer);
    expect(await rolledBack.attempt()).toEqual({ kind: 'completed' });
    expect(await backend.job(jobId)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  test('whose upcaster fails is a dead letter with its payload, and runs when it is replayed on a mended release', async () => {
    const { jobId } = await release('1.0.0', older).queue.enqueue(older, { sku: 'a' });
    const broken = { ...newer, upcasters: { 1: { ...toNormal, convert: () => ({ sku: 7 }) } } };
    expect(await release('2.0.0', broken).attempt()).toMatchObject({
      ...{ kind: 'dead', reason: 'payload-invalid', error: { code: 'COORD_UPCAST_FAILED' } },
    });
    expect(backend.payloadOf(jobId)).toEqual({ sku: 'a' });

    await backend.replay(jobId, aNote());
    expect(await release('2.0.1', newer).attempt()).toEqual({ kind: 'completed' });
    expect(handled).toEqual([{ sku: 'a', speed: 'normal' }]);
  });
});

describe('a job of a newer release', () => {
  test('is parked by an older worker, which says what it met, and runs when a matching one comes', async () => {
    const { jobId } = await release('2.0.0', newer).queue.enqueue(newer, express);
    const old = release('1.0.0', older);
    expect(await old.attempt()).toEqual({ kind: 'parked', reason: 'payload-version-unknown' });
    expect(await backend.job(jobId)).toMatchObject({ state: 'parked', attempt: 0 });
    expect(old.log.lines).toContainEqual({
      ...{ level: 'warn', message: expect.stringMatching(/^job parked/) },
      fields: expect.objectContaining({
        jobId,
        task: NAME,
        reason: 'payload-version-unknown',
        payloadVersion: 2,
        envelopeRelease: '2.0.0',
      }),
    });
    expect(await old.attempt()).toBeUndefined();

    const matching = release('2.0.0', newer);
    expect(await matching.attempt()).toEqual({ kind: 'completed' });
    expect(handled).toEqual([express]);
  });

  test('of a task that the older one has not got is parked in the same way', async () => {
    const weigh = defineTask({ name: 'warehouse.weigh', payload: parcelV1 });
    await release('2.0.0', older, weigh).queue.enqueue(weigh, { sku: 'a' });
    const old = release('1.0.0', older);
    expect(await old.attempt()).toEqual({ kind: 'parked', reason: 'task-unknown' });
    expect(old.log.lines).toMatchObject([{ fields: { task: 'warehouse.weigh', reason: 'task-unknown' } }]);
  });

  test('in an envelope of a newer version is parked, and named all the same', async () => {
    const envelope = JSON.stringify({ v: 2, task: NAME, contents: 'another shape' });
    const job = { id: 'job-1', task: NAME, queue: 'warehouse', envelope, payload: '{}', delayMs: 0 };
    await backend.enqueue([{ ...job, subject: undefined, lane: undefined, dedupe: undefined }]);
    const old = release('1.0.0', older);
    expect(await old.attempt()).toEqual({ kind: 'parked', reason: 'envelope-version-unknown' });
    expect(await old.attempt()).toBeUndefined();
    expect(old.log.lines).toMatchObject([{ fields: { task: NAME, reason: 'envelope-version-unknown' } }]);
  });
});

test('a request that is repeated to another release is the same job, whatever its payload has become', async () => {
  const options = { idempotencyKey: 'order-1' };
  const first = await release('1.0.0', older).queue.enqueue(older, { sku: 'a' }, options);
  const again = await release('2.0.0', newer).queue.enqueue(newer, express, options);
  expect(again).toMatchObject({ jobId: first.jobId, duplicate: true });
});
