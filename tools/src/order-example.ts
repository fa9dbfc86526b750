/** The body of `POST /v1/orders`. */
export interface OrderExample {
  orderNumber: string;
  currency: string;
  customer: { id: string; username: string; email: string };
  lines: { lineId: string; kind: string; sku: string; mode?: string; quantity: number; unitPriceMinor: number }[];
}

/** An order of one course, as the shop sends it. Default number: one that no earlier call has given. */
export function orderExample(orderNumber: string = freshOrderNumber()): OrderExample {
  return {
    orderNumber,
    currency: 'USD',
    customer: { id: '42', username: 'ada', email: 'ada@example.test' },
    lines: [
      {
        lineId: 'l1',
        kind: 'course',
        sku: 'course-v1:DemoX+CS101+2026',
        mode: 'verified',
        quantity: 1,
        unitPriceMinor: 4900,
      },
    ],
  };
}

let given = 0;

function freshOrderNumber(): string {
  given += 1;
  return `D-${Date.now().toString(36).toUpperCase()}${given > 1 ? `-${given}` : ''}`;
}
