import type { Section } from '../report/report.ts';
import { ACCEPT, benchmarkAccept, type AcceptOptions } from './accept-benchmark.ts';

/** Measures acceptance and says what was measured. */
export async function acceptSection(options: AcceptOptions): Promise<Section> {
  options.onProgress(`accept: ${options.requests} requests per measurement`);
  return {
    title: 'Accepting an order',
    about: `\`POST /v1/orders\` over 20 keep-alive connections, each of which sends its next order when the last is answered,
${options.requests} orders per measurement. Every server, the load, Redis and the trace collector are processes of their own.

- ${ACCEPT.ours}: the API as it is deployed. It checks token, schema and idempotency key, and writes record, timeline
  and queue in one step.
- ${ACCEPT.traced}: the same, with every trace (two spans) exported over OTLP; what the export costs is counted.
- ${ACCEPT.bare}: \`express.json()\` and one \`save()\`. It checks nothing, and a repeated order is a second job.
- ${ACCEPT.checked}: token, the very same schema, and the key as job id, the way most would write it.
- ${ACCEPT.bullmq}: as bare as bee-queue's, over node-redis, the client that ours uses.`,
    series: await benchmarkAccept(options),
    baseline: ACCEPT.bare,
    aims: new Map([
      [ACCEPT.ours, 1],
      [ACCEPT.traced, 1.35],
    ]),
  };
}
