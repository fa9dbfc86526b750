import { bearer, DownstreamClient, type PayloadOf } from '@coordinator/extension';
import type { WarehouseConfig } from './config.ts';
import type { ship } from './tasks.ts';

/** How a call is made: once per step, and only as long as the attempt lasts. */
export interface CallOptions {
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/** What we ask of the warehouse. */
export class WarehouseClient {
  readonly #http: DownstreamClient;

  constructor(config: WarehouseConfig) {
    this.#http = new DownstreamClient({
      name: 'warehouse',
      baseUrl: config.WAREHOUSE_URL,
      auth: bearer(config.WAREHOUSE_TOKEN),
    });
  }

  /** Ships one line of an order. @throws DownstreamError */
  async ship(shipment: PayloadOf<typeof ship>, call: CallOptions): Promise<void> {
    await this.#http.request({ method: 'POST', path: '/shipments', params: {}, json: shipment, ...call });
  }

  /** Closes a day, `2026-01-02`: its parcels are listed for the carrier. @throws DownstreamError */
  async closeDay(day: string, call: CallOptions): Promise<void> {
    await this.#http.request({ method: 'POST', path: '/days/{day}/close', params: { day }, ...call });
  }
}
