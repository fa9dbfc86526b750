import type { DataOf, orderLinePlaced, PayloadOf } from '@coordinator/extension';
import type { enrol } from './tasks.ts';

// The mode that Open edX sells: an order without one is still an order, and the free `audit` would give the buyer less
// than was paid for. Where a course has no such mode the LMS refuses, and somebody sees it.
const PAID_MODE = 'verified';

/** The enrolment that a line of an order asks for, if it is a course. A quantity is of no concern: one enrols once. */
export function enrolmentOf(line: DataOf<typeof orderLinePlaced>): PayloadOf<typeof enrol> | undefined {
  if (line.kind !== 'course') return undefined;
  const { orderNumber, lineId, sku, mode = PAID_MODE, username, placedAt } = line;
  return { orderNumber, lineId, username, courseId: sku, mode, placedAt };
}
