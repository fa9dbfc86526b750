import { orderLinePlaced, TaskError, type TaskHandler } from '@coordinator/extension';
import type * as tasks from '../tasks.ts';

/** Announces every line; the extension that delivers its kind of thing is subscribed, and its jobs are the children. */
export const fulfil: TaskHandler<typeof tasks.fulfil> = async ({ orderNumber, username, lines }, context) => {
  const placedAt = new Date(context.job.createdAtMs).toISOString();
  for (const { lineId, kind, sku, mode, quantity } of lines) {
    const started = context.emit(orderLinePlaced, {
      orderNumber,
      lineId,
      kind,
      sku,
      mode,
      quantity,
      username,
      placedAt,
    });
    if (started === 0) {
      const message = `No installed extension delivers lines of the kind "${kind}" (line ${lineId})`;
      throw new TaskError('permanent', 'COORD_NOTHING_SUBSCRIBES', message);
    }
  }
};
