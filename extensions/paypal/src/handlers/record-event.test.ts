import { expect, test } from '@jest/globals';
import { runTask } from '@coordinator/task-testing';
import { recordEvent as task } from '../tasks.ts';
import { recordEvent } from './record-event.ts';

test('an event that nothing acts on leaves a line that names it', async () => {
  const event = { eventId: 'WH-1', type: 'CUSTOMER.DISPUTE.CREATED' };
  const { outcome, log } = await runTask(task, recordEvent, event);

  expect(outcome).toEqual({ kind: 'completed' });
  expect(log).toContainEqual(expect.objectContaining({ level: 'info', fields: expect.objectContaining(event) }));
});
