import { freePort } from '@coordinator/task-testing';
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type SendAnswer } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof, Scene } from '../proof.ts';
import type { ProvingStackOptions } from '../stack/stack-options.ts';

const RATE = 120;
const WARM_UP_S = 3;
const SECONDS = { pr: 15, nightly: 60 };
const SLICE_BYTES = 500;
const SLICE_EVERY_MS = 50;
/** Small, so that a short run fills it: what has no room is dropped. */
const QUEUE_OF_SPANS = { OTEL_BSP_MAX_QUEUE_SIZE: '256', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '128' };
/** These have telemetry that is in trouble; the other two APIs export nothing, and differ by no more than the machine's moods. */
const TROUBLED = ['api-3', 'worker-1', 'worker-2'];

/** The collector of traces refuses, hangs, or takes 10 kB a second; or nobody reads the log. */
export const telemetryDead: Proof = {
  id: 'P30',
  title: 'Telemetry can die',
  tier: 'nightly',
  target:
    'a collector that refuses, hangs or takes 10 kB/s, and logs that nobody reads: accept p99 at most 1.1 × that of APIs beside it without telemetry (median of the seconds), lost 0, dropped spans counted',
  run: async ({ tier, start, findings }) => {
    const hanging = await listen(() => undefined);
    const slow = await listen(readSlowly);
    try {
      const ports = { refusing: await freePort(), hanging: portOf(hanging), slow: portOf(slow) };
      for (const [name, port] of Object.entries(ports)) {
        const exporting = {
          ...QUEUE_OF_SPANS,
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
          OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
          OTEL_BSP_EXPORT_TIMEOUT: '2000',
        };
        const envOf = Object.fromEntries(TROUBLED.map((process) => [process, exporting]));
        await compare(name, { envOf }, { tier, start, findings });
      }
      await withUnreadPipe((path) => {
        const outputOf = Object.fromEntries(TROUBLED.map((process) => [process, path]));
        return compare('log unread', { outputOf, env: { LOG_LEVEL: 'debug' } }, { tier, start, findings });
      });
    } finally {
      hanging.close();
      slow.close();
    }
  },
};

/** Three APIs take requests in turns; the third is to be no slower than the others. */
async function compare(
  name: string,
  options: ProvingStackOptions,
  { tier, start, findings }: Pick<Scene, 'tier' | 'start' | 'findings'>,
): Promise<void> {
  const stack = await start({ apis: 3, ...options });
  const sendings = (part: string, seconds: number) =>
    Array.from({ length: RATE * seconds }, (_, i) => delivery(`p30-${name}-${part}-${i}`));
  await stack.driver.drive(sendings('warm', WARM_UP_S), { ratePerSecond: RATE });
  const before = stack.driver.answers.length;
  await stack.driver.drive(sendings('load', SECONDS[tier]), { ratePerSecond: RATE });
  const answers = stack.driver.answers.slice(before);
  const [first = [], second = [], troubled = []] = stack.apis.map(({ url }) =>
    answers.filter(({ api }) => api === url),
  );
  const ratio = medianRatio(troubled, [first, second]);
  findings.expect(`${name}: accept p99 in relation to APIs without telemetry`, ratio, { atMost: 1.1 });
  await settleAccounts(stack, findings);
  if (options.envOf) {
    const metrics = await Promise.all(stack.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
    findings.expect(
      `${name}: spans counted as dropped`,
      metrics.reduce((sum, text) => sum + dropped(text), 0),
      {
        atLeast: 1,
      },
    );
  }
  await stack.stop();
}

/**
 * Second by second, so that whatever else the machine does meets all of them alike. Of two that are the same, the slower
 * one counts: without any effect the troubled one is the slowest in a third of the seconds.
 */
function medianRatio(troubled: readonly SendAnswer[], plain: readonly (readonly SendAnswer[])[]): number {
  const secondOf = ({ dueAt }: SendAnswer) => Math.floor(dueAt / 1_000);
  const p99 = (answers: readonly SendAnswer[], second: number) => {
    const own = answers.filter((answer) => secondOf(answer) === second);
    return percentile(
      own.map(({ dueAt, endedAt }) => endedAt - dueAt),
      0.99,
    );
  };
  const seconds = [...new Set(troubled.map(secondOf))];
  const ratios = seconds.map((second) => p99(troubled, second) / Math.max(...plain.map((one) => p99(one, second))));
  return percentile(ratios, 0.5);
}

/** Spans that never arrived, by the metrics of a process. */
function dropped(metrics: string): number {
  const lines = metrics.match(/^otel_sdk_processor_span_processed\S*error_type=\S* \d+/gm) ?? [];
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** A pipe that is open at its other end and never read. */
async function withUnreadPipe(use: (path: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'coordinator-pipe-'));
  const path = join(dir, 'log');
  execFileSync('mkfifo', [path]);
  const end = await open(path, 'r+');
  try {
    await use(path);
  } finally {
    await end.close();
    await rm(dir, { recursive: true });
  }
}

function readSlowly(socket: Socket): void {
  const reading = setInterval(() => socket.read(SLICE_BYTES), SLICE_EVERY_MS);
  socket.once('close', () => clearInterval(reading));
}

async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ highWaterMark: SLICE_BYTES }, (socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}
