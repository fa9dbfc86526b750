/** Nothing can be said about a promise: neither that it holds nor that it is broken. */
export class NotShownError extends Error {
  override readonly name: string = 'NotShownError';
}
