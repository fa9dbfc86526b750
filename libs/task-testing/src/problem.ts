import { STATUS_CODES, type ServerResponse } from 'node:http';

/** A request that a fake server cannot serve; becomes an RFC 9457 answer. */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** HTTP status of the answer. */
  readonly status: number;

  /** @param detail what is wrong and what would be right, in one sentence */
  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** Answers JSON. */
export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Answers whatever was thrown as problem+json. Stack traces stay inside. */
export function answerProblem(response: ServerResponse, error: unknown): void {
  const status = error instanceof Problem ? error.status : 500;
  const detail = error instanceof Error ? error.message : String(error);
  const body = { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
