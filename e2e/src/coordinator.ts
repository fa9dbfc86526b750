import { silentLogger } from '@coordinator/logging';
import { RedisConnection } from '@coordinator/tasks';
import { orderExample, type OrderExample, type Stack } from '@coordinator/tools';
import { request } from 'undici';

/** An answer of the API or the sandbox. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // The tests look at what they expect to be there, and fail where it is not.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
}

/** A job as the API shows it, as far as the tests look at it. */
export interface ShownJob {
  readonly jobId: string;
  readonly task: string;
  readonly state: string;
  readonly attempt: number;
  readonly traceId: string;
  readonly parentJobId: string | null;
  readonly error: { readonly code: string } | null;
}

/** A row of the sandbox's ledger. */
export interface LedgerRow {
  readonly effect: string;
  readonly subject: string;
  readonly idempotencyKey: string;
  readonly repeats: number;
}

/** A running stack as its users see it: shop, providers and support staff. */
export class Coordinator {
  readonly stack: Stack;
  #orders = 0;

  constructor(stack: Stack) {
    this.stack = stack;
  }

  /** An order that was not placed before. */
  newOrder(change: Partial<OrderExample> = {}): OrderExample {
    this.#orders += 1;
    const order = orderExample(`E-${process.pid}-${this.#orders}`);
    // The course platform enrols a user in a course once, whatever the order: each order has a customer of its own.
    return { ...order, customer: { ...order.customer, username: `ada-${order.orderNumber}` }, ...change };
  }

  /** POST /v1/orders. */
  placeOrder(order: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.post('/v1/orders', JSON.stringify(order), headers);
  }

  /** POST with the token of the shop; a header set to '' is left out. */
  post(path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
    const all = { 'content-type': 'application/json', authorization: 'Bearer dev-token', ...headers };
    const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
    return call('POST', `${this.stack.urls.api}${path}`, sent, body);
  }

  /** GET with the token of the shop. */
  get(path: string): Promise<Answer> {
    return call('GET', `${this.stack.urls.api}${path}`, { authorization: 'Bearer dev-token' });
  }

  /** The jobs about an order, oldest first. */
  async timeline(orderNumber: string): Promise<ShownJob[]> {
    const { body } = await this.get(`/v1/subjects/order:${orderNumber}/jobs`);
    return body.items;
  }

  /** What was really done about an order. */
  async ledger(orderNumber: string): Promise<LedgerRow[]> {
    const { body } = await call('GET', `${this.stack.urls.sandbox}/__ledger?subject=order:${orderNumber}`);
    return body.effects;
  }

  /** Makes a route of the sandbox fail. */
  async fail(route: string, mode: string, more: object = {}): Promise<void> {
    await this.tellSandbox('/__fault', { route, mode, ...more });
  }

  /** Switches all faults off. */
  async heal(): Promise<void> {
    await call('DELETE', `${this.stack.urls.sandbox}/__fault`);
  }

  /** How many faults are still on; a fault with a count goes when its last call has come. */
  async faultsLeft(): Promise<number> {
    const { body } = await call('GET', `${this.stack.urls.sandbox}/__fault`);
    return body.faults.length;
  }

  /** POST to the sandbox. */
  tellSandbox(path: string, body: object): Promise<Answer> {
    const json = { 'content-type': 'application/json' };
    return call('POST', `${this.stack.urls.sandbox}${path}`, json, JSON.stringify(body));
  }

  /** The spans that were exported for a trace. */
  async spans(traceId: string): Promise<ExportedSpan[]> {
    const { status, body } = await call('GET', `${this.stack.urls.sandbox}/__traces/${traceId}`);
    return status === 200 ? body.spans : [];
  }

  /** The ids of all jobs that Redis holds. */
  async jobIds(): Promise<string[]> {
    const connection = new RedisConnection({ url: this.stack.urls.redis, log: silentLogger });
    await connection.connect();
    try {
      return ((await connection.command('KEYS', '{cc}:job:*')) as string[]).sort();
    } finally {
      connection.close();
    }
  }
}

/** A span as the sandbox received it over OTLP. */
export interface ExportedSpan {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly spanId: string }[];
}

async function call(
  method: 'GET' | 'POST' | 'DELETE',
  url: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<Answer> {
  const answer = await request(url, { method, headers, body });
  const text = await answer.body.text();
  const json = String(answer.headers['content-type']).includes('json');
  return { status: answer.statusCode, headers: answer.headers, text, body: json ? JSON.parse(text) : undefined };
}
