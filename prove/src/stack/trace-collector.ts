import { TraceSink, type RecordedSpan } from '@coordinator/task-testing';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Takes the spans of all processes over OTLP and keeps them. */
export class TraceCollector {
  /** Settings that have a process export its spans here, a moment after they end. */
  readonly env: NodeJS.ProcessEnv;
  readonly #server: Server;
  readonly #sink: TraceSink;

  private constructor(server: Server, sink: TraceSink) {
    this.#server = server;
    this.#sink = sink;
    this.env = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '200',
    };
  }

  /** Starts one. @param most how many traces it keeps @param onBody told each export as it comes. Default nobody */
  static async start(most: number, onBody: (text: string) => void = () => undefined): Promise<TraceCollector> {
    const sink = new TraceSink(most);
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        onBody(text);
        sink.add(JSON.parse(text) as Parameters<TraceSink['add']>[0]);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TraceCollector(server, sink);
  }

  /** The spans of a trace that have arrived. */
  trace(traceId: string): readonly RecordedSpan[] {
    return this.#sink.trace(traceId)?.spans ?? [];
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
