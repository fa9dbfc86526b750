import { orderExample } from './order-example.ts';
import type { StackUrls } from './stack.ts';
import { DEVELOPMENT_TOKENS } from './stack-environment.ts';

/** What the banner tells. */
export interface BannerFacts {
  urls: StackUrls;
  /** Where Redis keeps its data, or that it is somebody else's. */
  redisNote: string;
  /** The environment that the stack was started in. */
  env: NodeJS.ProcessEnv;
}

/** The text that `npm start` ends its start with: where everything is, and what to try. */
export function startBanner({ urls, redisNote, env }: BannerFacts): string {
  const order = orderExample();
  const token = env.API_TOKENS === undefined ? 'dev-token' : '<a token of API_TOKENS>';
  const authorization = `-H 'Authorization: Bearer ${token}'`;
  const places = [
    ['API', urls.api],
    ['Admin', `${urls.admin}/admin/v1 (for operators; probes, metrics of the API beside it)`],
    ['Worker', `${urls.workers.join(' ')} (probes, metrics)`],
    ['Sandbox', `${urls.sandbox}/__ledger (what the services were asked to do)`],
    ['Redis', `${urls.redis.replace(/\/\/[^@/]*@/, '//')} (${redisNote})`],
  ];
  const tokens = Object.entries(DEVELOPMENT_TOKENS).filter(([name]) => env[name] === undefined);
  return [
    '',
    'The Coordinator is up.',
    '',
    ...places.map(([name = '', place]) => `  ${name.padEnd(8)} ${place}`),
    ...(tokens.length > 0 ? ['', 'Tokens, for development only:'] : []),
    ...tokens.map(([name, value]) => `  ${name}=${value}`),
    '',
    'Place an order:',
    `  curl -s ${urls.api}/v1/orders ${authorization} -H 'Content-Type: application/json' \\`,
    `    -d '${JSON.stringify(order)}'`,
    'See what became of it:',
    `  curl -s ${urls.api}/v1/subjects/order:${order.orderNumber}/jobs ${authorization}`,
    ...(env.OTEL_EXPORTER_OTLP_ENDPOINT ? [] : ['Its trace, by the traceId of any of its jobs:']),
    ...(env.OTEL_EXPORTER_OTLP_ENDPOINT ? [] : [`  curl -s ${urls.sandbox}/__traces/<traceId>`]),
    '',
    'Ctrl-C drains and ends everything; a second Ctrl-C ends it at once.',
    '',
  ].join('\n');
}
