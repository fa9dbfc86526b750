import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { orderExample, type OrderExample } from './order-example.ts';

/** Where a running stack answers. */
export interface DemoTarget {
  readonly api: string;
  readonly sandbox: string;
  /** Bearer token for the API. */
  readonly token: string;
}

/** A request that was answered 202. */
export interface AcceptedRequest {
  readonly orderNumber: string;
  readonly jobIds: readonly string[];
}

/** A job as the API shows it, as far as the demo looks at it. */
export interface DemoJob {
  readonly jobId: string;
  readonly task: string;
  readonly state: string;
  readonly attempt: number;
  readonly outcome: string | null;
  readonly traceId: string | null;
  readonly createdAt: string;
  readonly finishedAt: string | null;
}

const PAUSE_MS = 250;

/** Sends an order until it is accepted, as a shop would: 503 means not now. Default: an order of one course */
export async function sendOrder(
  { api, token }: DemoTarget,
  orderNumber: string,
  change: Partial<OrderExample> = {},
): Promise<AcceptedRequest> {
  for (;;) {
    const answer = await request(`${api}/v1/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...orderExample(orderNumber), ...change }),
    });
    const body = (await answer.body.json()) as { jobs?: { jobId: string }[]; detail?: string };
    if (answer.statusCode === 202) return { orderNumber, jobIds: (body.jobs ?? []).map(({ jobId }) => jobId) };
    if (answer.statusCode !== 503) throw new Error(`The API answered ${answer.statusCode}: ${body.detail}`);
    await delay(PAUSE_MS);
  }
}

/** Has the sandbox send a signed Stripe event about an order, until the API has accepted it. */
export async function sendStripeEvent(target: DemoTarget, type: string, orderNumber: string): Promise<AcceptedRequest> {
  for (;;) {
    const { answers } = (await tellSandbox(target, '/__send/stripe', { type, orderNumber })) as {
      answers: { status: number; body?: { jobs?: { jobId: string }[] } }[];
    };
    const [answer] = answers;
    if (answer?.status === 202) return { orderNumber, jobIds: (answer.body?.jobs ?? []).map(({ jobId }) => jobId) };
    if (answer?.status !== 503) throw new Error(`The API answered ${answer?.status} to a ${type} event`);
    await delay(PAUSE_MS);
  }
}

/** Makes the course platform fail for a while. */
export async function failCoursePlatform(target: DemoTarget, forMs: number): Promise<void> {
  await tellSandbox(target, '/__fault', { route: 'lms.enrol', mode: '503', forMs });
}

/** The jobs about an order. */
export async function jobsOf({ api, token }: DemoTarget, orderNumber: string): Promise<DemoJob[]> {
  const answer = await request(`${api}/v1/subjects/order:${orderNumber}/jobs`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return ((await answer.body.json()) as { items: DemoJob[] }).items;
}

/** GET of the sandbox; undefined for 404. */
export async function askSandbox<T>({ sandbox }: DemoTarget, path: string): Promise<T | undefined> {
  const answer = await request(`${sandbox}${path}`);
  const body = await answer.body.json();
  return answer.statusCode === 404 ? undefined : (body as T);
}

/** POST to the sandbox. @throws Error with its answer, unless that is 200 */
export async function tellSandbox({ sandbox }: DemoTarget, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await request(`${sandbox}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`The sandbox answered ${answer.statusCode} to ${path}: ${text}`);
  return JSON.parse(text);
}
