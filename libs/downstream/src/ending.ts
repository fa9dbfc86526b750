import type { AnswerHeaders } from './downstream-answer.ts';

/** Why a call has no whole answer. */
export interface Fault {
  /**
   * - `refused`: it was not sent, and another try would end the same.
   * - `unsent`: it was not sent.
   * - `lost`: it may have been sent; whether it took effect is not known.
   * - `unreadable`: an answer came that cannot be used.
   */
  readonly kind: 'refused' | 'unsent' | 'lost' | 'unreadable';
  /** What happened, in a word with few different values: ECONNREFUSED, timeout, body-too-large. */
  readonly type: string;
  readonly cause?: unknown;
}

/** The beginning of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: AnswerHeaders;
}

/** How one exchange with a server ended: with a whole body, or with a fault before or after the head of the answer. */
export type Ending =
  | { readonly head: AnswerHead; readonly body: Uint8Array; readonly fault?: undefined }
  | { readonly head: AnswerHead | undefined; readonly body?: undefined; readonly fault: Fault };
