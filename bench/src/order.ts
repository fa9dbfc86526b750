/** The body of `POST /v1/orders`, as the shop sends it. */
export function orderBody(orderNumber: string) {
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
