import type { PayloadOf } from '@coordinator/extension';
import type { enrol } from './tasks.ts';

/** Names us in the LMS as where the order came from. */
const SOURCE_SYSTEM = 'commerce-coordinator';

/**
 * The body of `POST /api/enrollment/v1/enrollment`. The attributes tie the enrolment to its order in the LMS's own
 * reports and refunds.
 */
export function enrolmentRequest({ orderNumber, lineId, username, courseId, mode, placedAt }: PayloadOf<typeof enrol>) {
  return {
    user: username,
    mode,
    is_active: true,
    // Nobody has asked the buyer.
    email_opt_in: false,
    course_details: { course_id: courseId },
    enrollment_attributes: [
      orderAttribute('order_number', orderNumber),
      // An order has no other identity here than its number.
      orderAttribute('order_id', orderNumber),
      orderAttribute('line_item_id', lineId),
      // To the second, as the LMS's other sources write it.
      orderAttribute('date_placed', placedAt.replace(/\.\d+Z$/, 'Z')),
      orderAttribute('source_system', SOURCE_SYSTEM),
    ],
  };
}

function orderAttribute(name: string, value: string) {
  return { namespace: 'order', name, value };
}
