import type { z } from 'zod';

/** The methods a downstream is called with. */
export type DownstreamMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A value in a query or a form. */
export type FormValue = string | number | boolean;

/** FormFields of a query or a form: a list repeats its field, undefined leaves it out. Keys are written as given: `expand[]`. */
export type FormFields = Readonly<Record<string, FormValue | readonly FormValue[] | undefined>>;

/** One call to a downstream. */
export interface DownstreamRequest<T = unknown> {
  readonly method: DownstreamMethod;
  /**
   * Where, below the client's base URL: begins with `/`, holds no query. Write it as a template with `params`, as in
   * `/v1/refunds/{id}`: the template then stands in spans and error messages, where the path could hold personal data.
   */
  readonly path: string;
  /**
   * Values of the `{names}` in `path`, percent-encoded here, so that no value can leave its segment; `{}` for a template
   * without any. Default: `path` is not a template.
   */
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: FormFields;
  /** The body as JSON. At most one of `json` and `form`. */
  readonly json?: unknown;
  /** The body as `application/x-www-form-urlencoded`. */
  readonly form?: FormFields;
  /** Headers besides those of the client. What the client sets itself (credentials, key, trace, framing) wins. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Sent in the client's idempotency header; 1 to 255 printable ASCII characters. Every call that changes something
   * needs one, stable over all attempts of its job. A POST or PATCH without one is not made again when it may have taken
   * effect: its job is a dead letter then.
   */
  readonly idempotencyKey?: string;
  /**
   * Whether the service does not mind when the call is made twice. Default: true for GET, HEAD, PUT and DELETE, which HTTP
   * calls idempotent (RFC 9110 section 9.2.2).
   */
  readonly repeatable?: boolean;
  /** Ends the call early; pass the signal of the TaskContext. */
  readonly signal?: AbortSignal;
  /** What the answer must look like, that of an adopted status too. Default: anything. */
  readonly answer?: z.ZodType<T>;
  /** Statuses that count as success besides 2xx, such as 406 where it means "nothing to do". Default none. */
  readonly adopt?: readonly number[];
}
