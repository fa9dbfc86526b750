import type { IncomingHttpHeaders } from 'node:http';

/** A request as a fake sees it. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  /** Values of the `:names` in the route's path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly rawBody: Buffer;
  /** Parsed JSON or form; undefined for another content type. */
  readonly body: unknown;
}

/** What a fake answers. */
export interface FakeAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** A thing that a call has changed in the fake service. */
export interface Effect {
  /** `<service>.<verb>`: `lms.enrol`. */
  readonly effect: string;
  /** The business thing it is about: `order:D-1001`. */
  readonly subject: string;
  readonly idempotencyKey: string | undefined;
  /** What was asked for, for the ledger's reader. */
  readonly request: unknown;
  /** Two calls with one identity have one effect. Default: the idempotency key. */
  readonly identity?: string;
}

/** The memory of a fake service. */
export interface Ledger {
  /** Notes an effect; a known identity is noted as a repeat, and true is returned. */
  record(effect: Effect): boolean;
}

/** One route of a fake service. */
export interface FakeRoute {
  /** Name for the fault switches and, for most, of its effect: `lms.enrol`. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base URL of the fake; may hold `:names`. */
  readonly path: string;
  readonly handle: (request: FakeRequest, ledger: Ledger) => FakeAnswer;
}

/** A webhook as a provider would send it. */
export interface FakeWebhook {
  /** Path on the coordinator's API. */
  readonly path: `/webhooks/${string}`;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A service as the sandbox plays it. */
export interface Fake {
  readonly routes: readonly FakeRoute[];
  /** Environment variables that point the extension to this fake. */
  readonly environment: (baseUrl: string) => Readonly<Record<string, string>>;
  /** Makes a signed webhook from what was posted to the sandbox; `badSignature` signs it wrongly. */
  readonly webhook?: (input: unknown, options: { readonly badSignature: boolean }) => FakeWebhook;
}

/** Declares the fake of a service, for the sandbox and for tests. */
export function defineFake(fake: Fake): Fake {
  return fake;
}
