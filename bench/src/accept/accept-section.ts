import type { Section } from '../report/report.ts';
import { ACCEPT, benchmarkAccept, type AcceptOptions } from './accept-benchmark.ts';

/** Measures acceptance and says what was measured. */
export async function acceptSection(options: AcceptOptions): Promise<Section> {
  options.onProgress(`accept: ${options.requests} requests per measurement`);
  return {
    title: 'Accepting an order',
    about: `\`POST /v1/orders\` over 20 keep-alive connections, each sending its next order when the last is answered,
${options.requests} orders per measurement. Servers, load, Redis and trace collector are processes of their own. “${ACCEPT.ours}” is
the API as it is deployed: it checks token, schema and idempotency key and writes record, timeline and queue at once.
With tracing on it exports every trace (two spans) over OTLP. “${ACCEPT.bare}” parses the body and saves a job, nothing
else. “${ACCEPT.checked}” adds the same checks, made the usual way. BullMQ runs over node-redis, the client of ours.`,
    series: await benchmarkAccept(options),
    baseline: ACCEPT.bare,
    aims: new Map([
      [ACCEPT.ours, 1],
      [ACCEPT.traced, 1.35],
    ]),
  };
}
