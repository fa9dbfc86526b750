import { TaskError, type CoordinatorErrorCode, type FailureKind } from '@coordinator/tasks';

/** What is known of the failed call besides its message. */
export interface DownstreamErrorDetails {
  readonly status?: number;
  readonly body?: unknown;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A call to a downstream that failed, classified. The message names client, method, route and status, never content. */
export class DownstreamError extends TaskError {
  /** The HTTP status; undefined when no answer began. */
  readonly status: number | undefined;
  // Not a plain property: consoles and loggers print those, and this one is whatever the downstream wrote.
  readonly #body: unknown;

  constructor(
    kind: FailureKind,
    code: CoordinatorErrorCode,
    message: string,
    { status, body, retryAfterMs, cause }: DownstreamErrorDetails = {},
  ) {
    super(kind, code, message, { retryAfterMs, cause });
    this.status = status;
    this.#body = body;
  }

  /**
   * The answer of a refusal: JSON, else text, or undefined when there was none or it could not be read. For decisions
   * (`charge_already_refunded` means done); it may hold personal data, so never log it or put it into a message.
   */
  get body(): unknown {
    return this.#body;
  }

  /**
   * The same failure without status and body: a caller would take the 404 of a token endpoint for that of its own call.
   * Never permanent: credentials that are refused are for people to mend, and the job can wait for them.
   */
  ofToken(): DownstreamError {
    const { message, retryAfterMs, cause } = this;
    const ours = this.kind === 'permanent';
    const kind = ours ? 'transient' : this.kind;
    const code = ours ? 'COORD_DOWNSTREAM_UNAVAILABLE' : this.code;
    return new DownstreamError(kind, code, message, { retryAfterMs, cause });
  }
}
