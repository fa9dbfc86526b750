// Sends orders in a closed loop; in a process of its own, so that its work is not the server's.
import { Pool } from 'undici';
import { answer } from '../answer.ts';
import { orderExample } from '@coordinator/tools';

/** What to send. */
export interface LoadOptions {
  readonly origin: string;
  readonly token: string;
  readonly requests: number;
  /** Keep-alive connections, each with one request at a time. */
  readonly connections: number;
}

const pools = new Map<string, Pool>();
let orders = 0;

answer({
  /** Sends the orders. Throws at the first answer that is not 202. */
  load: async ({ origin, token, requests, connections }: LoadOptions) => {
    const pool = pools.get(origin) ?? new Pool(origin, { connections, pipelining: 1 });
    pools.set(origin, pool);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    let left = requests;
    const send = async () => {
      while (left > 0) {
        left -= 1;
        orders += 1;
        const body = JSON.stringify(orderExample(`B-${orders}`));
        const response = await pool.request({ method: 'POST', path: '/v1/orders', headers, body });
        const text = await response.body.text();
        if (response.statusCode !== 202) throw new Error(`the answer was ${response.statusCode}: ${text}`);
      }
    };
    await Promise.all(Array.from({ length: connections }, send));
  },
});
