import { permanent } from '@coordinator/tasks';
import type { z } from 'zod';
import type { TokenRequest } from './downstream-auth.ts';
import type { DownstreamRequest } from './downstream-request.ts';
import type { DownstreamSettings } from './downstream-options.ts';
import { encodeFields, targetPath } from './target.ts';

/** A call, checked and ready to be sent, without what differs from one try to the next: credentials and trace. */
export interface Call<T> {
  readonly method: string;
  readonly url: { readonly origin: string; readonly path: string };
  /** The path with `{names}` for its values, where the author wrote it so. */
  readonly template: string | undefined;
  /** DownstreamMethod and route, for messages. */
  readonly label: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly answer: z.ZodType<T> | undefined;
  readonly adopt: readonly number[];
  /** Whether nobody minds when it is made twice. */
  readonly repeatable: boolean;
  /** Whether it may be made again although it may have taken effect: repeatable, or the service knows it by its key. */
  readonly retryable: boolean;
  readonly describeError: DownstreamSettings['describeError'];
}

/** RFC 9110 section 9.2.1. */
const SAFE_METHODS = ['GET', 'HEAD'];
/** RFC 9110 section 9.2.2. */
const IDEMPOTENT_METHODS = [...SAFE_METHODS, 'PUT', 'DELETE'];
/** Set by the connection; another value would send the request elsewhere or break its framing. */
const CONNECTION_HEADERS =
  /^(host|connection|keep-alive|proxy-.*|content-length|transfer-encoding|te|trailer|upgrade|expect|accept-encoding)$/i;
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/;
const FORM = 'application/x-www-form-urlencoded';

/** Makes a call of a request. @throws TaskError `permanent` when it can never be sent */
export function callOf<T>(request: DownstreamRequest<T>, settings: DownstreamSettings): Call<T> {
  const { method, path, params, answer, adopt = [] } = request;
  const template = params && path;
  const repeatable = request.repeatable ?? IDEMPOTENT_METHODS.includes(method);
  try {
    return {
      method,
      url: { origin: settings.baseUrl.origin, path: targetPath(settings.baseUrl, request) },
      template,
      label: `${method} ${path}`,
      headers: headersOf(request, settings),
      body: bodyOf(request),
      answer,
      adopt,
      repeatable,
      retryable: repeatable || request.idempotencyKey !== undefined,
      describeError: settings.describeError,
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // The path is not quoted: it may be the payload's.
    throw permanent(`${settings.name}: a ${method} was not sent because ${error.message}`);
  }
}

/** Makes a call of a request for a token. */
export function tokenCallOf<T>({ url, form, headers, answer }: TokenRequest<T>): Call<T> {
  return {
    method: 'POST',
    url: { origin: url.origin, path: url.pathname },
    template: url.pathname,
    label: `POST ${url.pathname}`,
    headers: { accept: 'application/json', 'content-type': FORM, ...headers },
    body: encodeFields(form),
    answer,
    adopt: [],
    // What a token would be used for has not been sent, so nothing can have taken effect.
    repeatable: true,
    retryable: true,
    describeError: oauthErrorCode,
  };
}

function headersOf(request: DownstreamRequest, settings: DownstreamSettings): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'commerce-coordinator' };
  for (const [name, value] of [...Object.entries(settings.headers), ...Object.entries(request.headers ?? {})]) {
    if (CONNECTION_HEADERS.test(name)) throw new RangeError(`its header ${name} belongs to the connection`);
    headers[name.toLowerCase()] = value;
  }
  if (request.json !== undefined) headers['content-type'] = 'application/json';
  if (request.form !== undefined) headers['content-type'] = FORM;
  const { idempotencyKey: key } = request;
  if (key === undefined) return headers;
  if (!IDEMPOTENCY_KEY.test(key))
    throw new RangeError('its idempotency key is not 1 to 255 printable ASCII characters');
  return { ...headers, [settings.idempotencyHeader.toLowerCase()]: key };
}

function bodyOf({ method, json, form }: DownstreamRequest): string | undefined {
  if (json === undefined && form === undefined) return undefined;
  if (json !== undefined && form !== undefined) throw new RangeError('it has two bodies, json and form');
  if (SAFE_METHODS.includes(method)) throw new RangeError('it has a body, which this method does not take');
  return form ? encodeFields(form) : JSON.stringify(json);
}

/** RFC 6749 section 5.2. */
function oauthErrorCode(_status: number, body: unknown): string | undefined {
  const { error } = Object(body) as { error?: unknown };
  return typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
}
