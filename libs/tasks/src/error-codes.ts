/** What a `COORD_*` code means to a caller: its HTTP status, its title, and whether the same request may succeed later. */
export interface ErrorCode {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
}

/** Every error code of the coordinator; docs/reference/errors.md lists the same codes, and a test holds both together. */
export const errorCodes = {
  COORD_BODY_DUPLICATE_NAME: {
    status: 400,
    title: 'An object of the body has two members with one name',
    retryable: false,
  },
  COORD_BODY_INVALID: { status: 422, title: 'The body does not match the schema of this route', retryable: false },
  COORD_BODY_MALFORMED: { status: 400, title: 'The body is not readable JSON', retryable: false },
  COORD_BODY_REQUIRED: { status: 400, title: 'This route needs a JSON body', retryable: false },
  COORD_BODY_TOO_LARGE: { status: 413, title: 'The body is larger than this route accepts', retryable: false },
  COORD_BODY_TOO_DEEP: { status: 400, title: 'The body has more levels than are taken', retryable: false },
  COORD_BODY_UNSAFE_NUMBER: {
    status: 422,
    title: 'A number of the body cannot be kept as it was written',
    retryable: false,
  },
  COORD_CHILDREN_UNWRITABLE: {
    status: 500,
    title: 'The jobs that a handler has enqueued cannot be written',
    retryable: false,
  },
  COORD_CONTENT_TYPE: {
    status: 415,
    title: 'This route takes application/json without a content encoding',
    retryable: false,
  },
  COORD_DRAINING: { status: 503, title: 'This process is shutting down', retryable: true },
  COORD_EVENT_UNKNOWN: { status: 500, title: 'No installed extension declares this event', retryable: false },
  COORD_EXPECTATION_FAILED: { status: 417, title: 'An Expect header may ask for 100-continue only', retryable: false },
  COORD_HEADERS_TOO_LARGE: {
    status: 431,
    title: 'A request has at most 100 headers of 16 KiB in all',
    retryable: false,
  },
  COORD_HOST_UNKNOWN: { status: 421, title: 'This host is not served here', retryable: false },
  COORD_IDEMPOTENCY_CONFLICT: {
    status: 422,
    title: 'This idempotency key was used before with another content',
    retryable: false,
  },
  COORD_IDEMPOTENCY_KEY_INVALID: {
    status: 400,
    title: 'An Idempotency-Key is 1 to 255 printable ASCII characters',
    retryable: false,
  },
  COORD_IDEMPOTENCY_KEY_REQUIRED: {
    status: 400,
    title: 'This route needs an Idempotency-Key header, which the same request repeats',
    retryable: false,
  },
  COORD_IDEMPOTENCY_IN_FLIGHT: {
    status: 409,
    title: 'A request with this idempotency key is being answered now',
    retryable: true,
  },
  COORD_INDEX_DAMAGED: {
    status: 500,
    title: 'What Redis holds beside the job is damaged: its key, lane, subject or queue; npm run audit names it',
    retryable: true,
  },
  COORD_INTERNAL: { status: 500, title: 'The coordinator failed', retryable: true },
  COORD_METHOD_NOT_ALLOWED: { status: 405, title: 'This resource does not take this method', retryable: false },
  COORD_NOT_FOUND: { status: 404, title: 'There is no such resource', retryable: false },
  COORD_OVERLOADED: { status: 503, title: 'This process has more to do than it can', retryable: true },
  COORD_PATH_INVALID: { status: 400, title: 'The path or query is not readable', retryable: false },
  COORD_PAYLOAD_TOO_LARGE: { status: 422, title: 'What is to be stored at once is too large', retryable: false },
  COORD_PATH_TOO_LONG: { status: 414, title: 'A path has at most 2048 characters', retryable: false },
  COORD_PAYLOAD_INVALID: { status: 422, title: 'The payload does not match the schema of its task', retryable: false },
  COORD_QUERY_INVALID: { status: 400, title: 'The query holds what this list does not take', retryable: false },
  COORD_QUEUE_FULL: { status: 503, title: 'The queue takes no more jobs now', retryable: true },
  COORD_PAYLOAD_KEY_UNKNOWN: {
    status: 500,
    title: 'The payload is encrypted with a key that this process does not have',
    retryable: true,
  },
  COORD_PAYLOAD_SECRET: { status: 500, title: 'A payload or a step result must not hold a Secret', retryable: false },
  COORD_QUEUE_UNAVAILABLE: { status: 503, title: 'The queue cannot be written now', retryable: true },
  COORD_RATE_LIMITED: { status: 429, title: 'This caller sends more requests than it may', retryable: true },
  COORD_REQUEST_MALFORMED: { status: 400, title: 'The request is not readable HTTP', retryable: false },
  COORD_REQUEST_TIMEOUT: { status: 408, title: 'The request did not arrive in time', retryable: true },
  COORD_SIGNATURE_INVALID: { status: 401, title: 'The signature does not belong to this body', retryable: false },
  COORD_SIGNATURE_MALFORMED: { status: 400, title: 'The signature header is not readable', retryable: false },
  COORD_TASK_UNKNOWN: { status: 500, title: 'No installed extension has this task', retryable: false },
  COORD_UPCAST_FAILED: {
    status: 500,
    title: 'The payload of an older version could not be brought to that of this release',
    retryable: false,
  },
  COORD_UNAUTHORIZED: { status: 401, title: 'This route needs a valid bearer token', retryable: false },
  COORD_ATTEMPT_TIMEOUT: { status: 504, title: 'The attempt passed its deadline', retryable: true },
  COORD_CANCELLED: { status: 409, title: 'The job was cancelled', retryable: false },
  COORD_CRASHED_WORKER: { status: 500, title: 'The job took its worker down too often', retryable: false },
  COORD_ENVELOPE_UNREADABLE: { status: 500, title: 'The stored job is not readable', retryable: false },
  COORD_ENVELOPE_VERSION_UNKNOWN: {
    status: 500,
    title: 'The stored job is of a newer release',
    retryable: true,
  },
  COORD_FORBIDDEN: { status: 403, title: 'This token does not allow that', retryable: false },
  COORD_HANDLER_FAILED: { status: 500, title: 'The handler threw an error that it did not classify', retryable: true },
  COORD_LAYOUT_UNKNOWN: {
    status: 500,
    title: 'What Redis holds is laid out in a way that this release cannot work on',
    retryable: false,
  },
  COORD_LEASE_LOST: { status: 409, title: 'The lease of this attempt ran out', retryable: true },
  COORD_DOWNSTREAM_REFUSED: { status: 502, title: 'The downstream refused the call for good', retryable: false },
  COORD_DOWNSTREAM_UNAVAILABLE: { status: 502, title: 'The downstream could not take the call now', retryable: true },
  COORD_DOWNSTREAM_RATE_LIMITED: { status: 503, title: 'The downstream asked for a pause', retryable: true },
  COORD_DOWNSTREAM_OPEN: {
    status: 503,
    title: 'The downstream is failing: no call was made',
    retryable: true,
  },
  COORD_DOWNSTREAM_BUSY: {
    status: 503,
    title: 'Our own limit of calls to the downstream is reached: no call was made',
    retryable: true,
  },
  COORD_DOWNSTREAM_UNKNOWN_OUTCOME: {
    status: 504,
    title: 'The call may have taken effect: no answer came',
    retryable: true,
  },
  COORD_DOWNSTREAM_ANSWER: { status: 502, title: 'The answer of the downstream is not readable', retryable: true },
  COORD_NOTHING_SUBSCRIBES: { status: 422, title: 'No installed extension acts on this event', retryable: false },
} as const satisfies Record<string, ErrorCode>;

/** The name of one error code. */
export type CoordinatorErrorCode = keyof typeof errorCodes;

/** An error with a stable code. Its message may be shown to callers and logged: it never holds payload values. */
export class CoordinatorError extends Error {
  override readonly name: string = 'CoordinatorError';
  readonly code: CoordinatorErrorCode;
  /** What is wrong, one line each; for example the fields of a body. */
  readonly faults: readonly string[];

  constructor(
    code: CoordinatorErrorCode,
    message: string = errorCodes[code].title,
    options: { faults?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.faults = options.faults ?? [];
  }
}

/** Whether an error says that Redis was away: the same write is to be tried again. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof CoordinatorError && error.code === 'COORD_QUEUE_UNAVAILABLE';
}
