import type { Logger } from '@coordinator/logging';
import type { CoordinatorErrorCode, Receipt, TaskQueue } from '@coordinator/tasks';
import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';

/** What a route's function works with, besides the body. */
export interface RouteContext {
  /** Name of the token's owner, or of the extension whose webhook it is. */
  readonly caller: string;
  /** Puts jobs on the queue. */
  readonly queue: Pick<TaskQueue, 'enqueue' | 'enqueueAll' | 'emit'>;
  /** The `Idempotency-Key` header, scoped to route and caller; undefined when it was not sent, and for webhooks. */
  readonly idempotencyKey: string | undefined;
  readonly log: Logger;
}

/** The caller shows a bearer token of API_TOKENS. */
export interface BearerAuthentication {
  readonly scheme: 'bearer';
}

/** The caller signs the raw bytes of the body. */
export interface SignatureAuthentication {
  readonly scheme: 'signature';
  /**
   * Throws when no active secret signed these bytes. Anything thrown is answered 401, except a CoordinatorError
   * COORD_SIGNATURE_MALFORMED, which is answered 400: the header itself is not readable.
   */
  readonly verify: (rawBody: Buffer, headers: IncomingHttpHeaders) => void;
  /**
   * Throws, as `verify` does, for headers with which no body could be signed; then it is not read at all. Default: none,
   * the body is read first.
   */
  readonly screen?: (headers: IncomingHttpHeaders) => void;
}

interface RouteDeclaration<Body> {
  /** One line for the API document. */
  readonly summary: string;
  /**
   * What the body must look like. Texts and lists have a greatest length; objects of routes with a token are strict.
   * The Registry refuses others at start.
   */
  readonly body: z.ZodType<Body>;
  /** Largest body in bytes. Default 262 144. */
  readonly maxBytes?: number;
  /** Which error codes the route answers with besides the general ones; for the API document. */
  readonly errors?: readonly CoordinatorErrorCode[];
  /** Enqueues or emits, nothing else: the answer waits for it. Its receipts become the answer 202. */
  readonly accept: (body: Body, context: RouteContext) => Promise<Receipt[]>;
}

/** A route for callers with a token. */
export interface ApiRouteDeclaration<Body> extends RouteDeclaration<Body> {
  /** As it stands, without parameters: it is looked up and not matched. */
  readonly path: `/v1/${string}`;
  readonly auth: BearerAuthentication;
  /**
   * Refuses a request without an `Idempotency-Key` header (COORD_IDEMPOTENCY_KEY_REQUIRED). For bodies that say nothing
   * by which a repeated request could be told from a new one. Default: the header may be left out.
   */
  readonly idempotencyKey?: 'required';
}

/** A route for a service that reports what happened. */
export interface WebhookDeclaration<Body> extends RouteDeclaration<Body> {
  /** Below `/webhooks/`; usually the extension's name. */
  readonly path: `/webhooks/${string}`;
  readonly auth: SignatureAuthentication;
}

/** A declared route of either kind; POST, JSON, answered 202 with receipts. */
export type Route = (ApiRouteDeclaration<never> | WebhookDeclaration<never>) & { readonly maxBytes: number };

/** Limit of a body when its route sets none. */
const DEFAULT_MAX_BYTES = 262_144;

/** The caller must show a bearer token. */
export function bearerToken(): BearerAuthentication {
  return { scheme: 'bearer' };
}

/** The caller must have signed the raw body; `verify` throws when it has not, and `screen` when its headers say so alone. */
export function signature(
  verify: SignatureAuthentication['verify'],
  screen?: NonNullable<SignatureAuthentication['screen']>,
): SignatureAuthentication {
  return { scheme: 'signature', verify, ...(screen && { screen }) };
}

/** Declares `POST <path>` for callers with a token. Without `auth` and `body` it does not compile. */
export function apiRoute<Body>(declaration: ApiRouteDeclaration<Body>): Route {
  return { maxBytes: DEFAULT_MAX_BYTES, ...declaration } as unknown as Route;
}

/** Declares `POST <path>` for a provider's webhook: raw bytes, size limit, signature, parse, then `accept`. */
export function webhook<Body>(declaration: WebhookDeclaration<Body>): Route {
  return { maxBytes: DEFAULT_MAX_BYTES, ...declaration } as unknown as Route;
}
