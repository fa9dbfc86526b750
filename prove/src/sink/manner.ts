import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** How a destination of the sink answers. The effect is had before a faulty answer begins, as with a real service. */
export type Manner = {
  /** Default: 0, which means all calls from now on. */
  readonly count?: number;
} & (
  | { readonly kind: 'ok'; readonly delayMs?: number }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'hang' | 'drip' | 'reset' | 'huge-body' | 'header-flood' | 'drop-answer' }
);

/** Whether a call answered in this manner has had its effect. */
export function hasEffect({ kind }: Manner): boolean {
  return kind !== 'status' && kind !== 'reset' && kind !== 'hang';
}

/** Answers in this manner. */
export async function answerIn(manner: Manner, response: ServerResponse): Promise<void> {
  switch (manner.kind) {
    case 'ok':
      if (manner.delayMs) await delay(manner.delayMs);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    case 'status':
      response.writeHead(manner.status, manner.headers).end();
      return;
    case 'hang':
      return;
    case 'reset':
    case 'drop-answer':
      response.socket?.resetAndDestroy();
      return;
    case 'drip':
      response.writeHead(200, { 'content-type': 'application/json' });
      while (!response.destroyed) {
        response.write(' ');
        await delay(1_000, undefined, { ref: false });
      }
      return;
    case 'huge-body':
      response.writeHead(200, { 'content-type': 'application/json' });
      for (const chunk = Buffer.alloc(65_536, ' '); !response.destroyed;) {
        if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
      return;
    case 'header-flood':
      response.socket?.write('HTTP/1.1 200 OK\r\n');
      while (!response.destroyed && response.socket?.writable) {
        response.socket.write(`x-flood-${Math.random()}: ${'y'.repeat(4_000)}\r\n`);
        await delay(5, undefined, { ref: false });
      }
  }
}

function once(response: ServerResponse, event: string): Promise<void> {
  return new Promise((resolve) => response.once(event, () => resolve()));
}
