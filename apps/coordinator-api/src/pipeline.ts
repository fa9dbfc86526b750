import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** What one connection has asked for. */
interface Pipeline {
  /** Oldest first, as they go out. */
  readonly unanswered: ServerResponse[];
  /** Requests so far. */
  count: number;
  closing: boolean;
}

/** How many answers one connection may wait for. Nobody needs more: callers wait for their answers, or open others. */
const MAX_UNANSWERED = 32;

const pipelines = new WeakMap<Duplex, Pipeline>();

/** Notes a request as it comes, unless it came behind an answer that closes the connection. */
export function enterPipeline(response: ServerResponse): void {
  const { socket } = response.req;
  let pipeline = pipelines.get(socket);
  if (!pipeline) pipelines.set(socket, (pipeline = { unanswered: [], count: 0, closing: false }));
  if (pipeline.closing) return;
  pipeline.count += 1;
  pipeline.unanswered.push(response);
  response.on('close', leavePipeline);
}

function leavePipeline(this: ServerResponse): void {
  pipelines.get(this.req.socket)?.unanswered.shift();
}

/**
 * Makes this answer the last one of its connection. What the caller has sent behind it gets no answer, so it must not be
 * done either: the caller will send it again. Source: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function closeAfter(response: ServerResponse): void {
  response.setHeader('connection', 'close');
  const pipeline = pipelines.get(response.req.socket);
  if (pipeline) pipeline.closing = true;
}

/** Whether a connection waits for more answers than it may. */
export function isTooLong(socket: Duplex): boolean {
  return (pipelines.get(socket)?.unanswered.length ?? 0) > MAX_UNANSWERED;
}

/** How many requests a connection has carried. */
export function requestsOn(socket: Duplex): number {
  return pipelines.get(socket)?.count ?? 0;
}

/** Whether a request came behind an answer that closes the connection. */
export function isAbandoned(response: ServerResponse): boolean {
  return pipelines.get(response.req.socket)?.unanswered.includes(response) === false;
}

/** The newest answer that a connection still waits for. */
export function newestUnanswered(socket: Duplex): ServerResponse | undefined {
  return pipelines.get(socket)?.unanswered.at(-1);
}
