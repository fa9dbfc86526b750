/** Headers of an answer: names in lower case, repeated ones joined with `, ` as RFC 9110 section 5.3 allows. */
export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

/** What a downstream answered to a call that counts as a success. */
export interface DownstreamAnswer<T = unknown> {
  /** The HTTP status: 2xx, or one of the statuses that the request adopts. */
  readonly status: number;
  readonly headers: AnswerHeaders;
  /**
   * What the request's `answer` schema made of the JSON. Without a schema: the JSON, or the text when the answer does
   * not claim to be JSON, or undefined when it has no body.
   */
  readonly body: T;
}
