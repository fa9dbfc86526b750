// The service that jobs call: a process of its own, so that no fault of ours touches its books.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { EffectLedger, type EffectCall, type SinkCall } from './effect-ledger.ts';
import { Gates, type GateCall } from './gates.ts';
import { answerIn, hasEffect, type Manner } from './manner.ts';

const ledger = new EffectLedger(process.env.SINK_JOURNAL ?? '/dev/null');
const gates = new Gates();
const manners = new Map<string, { manner: Manner; left: number }>();
const calls: SinkCall[] = [];
const MOST_CALLS = 500_000;

type Control = (body: never) => unknown;

const controls: Record<string, Control> = {
  '/readyz': () => ({}),
  '/__effects': () => ledger.rows(),
  '/__count': () => ({ effects: ledger.size, calls: calls.length }),
  '/__calls': () => calls,
  '/__forget': () => {
    ledger.forget();
    calls.length = 0;
    return {};
  },
  '/__gates': () => gates.waiting(),
  '/__open': ({ gates: names }: { gates: string[] | 'all' }) => gates.open(names),
  '/__manner': ({ destination, manner }: { destination: string; manner: Manner }) => {
    manners.set(destination, { manner, left: manner.count ?? 0 });
    return {};
  },
};

const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 0 }, (request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(Number(process.env.SINK_PORT), '127.0.0.1');

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '/';
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const body: unknown = text === '' ? {} : JSON.parse(text);
  const control = controls[path];
  if (control) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(control(body as never)));
    return;
  }
  if (path === '/gates/wait') return gates.wait(body as GateCall, response);
  const destination = path.split('/')[1] ?? '';
  const told = { destination, idempotencyKey: keyOf(request), ...traceOf(request) };
  await call({ ...(body as EffectCall), ...told }, response);
}

async function call(effect: EffectCall, response: ServerResponse): Promise<void> {
  const entry: SinkCall = { ...effect, at: Date.now(), overlaps: ledger.begin(effect) };
  if (calls.length < MOST_CALLS) calls.push(entry);
  response.once('close', () => {
    entry.endedAt = Date.now();
    ledger.end(effect);
  });
  const manner = mannerOf(effect.destination);
  if (hasEffect(manner)) ledger.record(effect);
  await answerIn(manner, response);
}

function mannerOf(destination: string): Manner {
  const set = manners.get(destination);
  if (!set) return { kind: 'ok' };
  if (set.left > 0 && --set.left === 0) manners.delete(destination);
  return set.manner;
}

function keyOf(request: IncomingMessage): string {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' ? key : '';
}

function traceOf({ headers }: IncomingMessage): Pick<EffectCall, 'traceId' | 'spanId'> {
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(String(headers.traceparent)) ?? [];
  return traceId === undefined ? {} : { traceId, spanId };
}
