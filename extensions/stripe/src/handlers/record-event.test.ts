import { expect, test } from '@jest/globals';
import { runTask } from '@coordinator/task-testing';
import { recordEvent as task } from '../tasks.ts';
import { recordEvent } from './record-event.ts';

test('an event that nothing acts on leaves a line that names it', async () => {
  const event = { eventId: 'evt_1', type: 'payout.paid', createdAt: '2026-01-03T00:00:00Z' };
  const { outcome, log } = await runTask(task, recordEvent, event);

  expect(outcome).toEqual({ kind: 'completed' });
  expect(log).toContainEqual(expect.objectContaining({ level: 'info', fields: expect.objectContaining(event) }));
});
