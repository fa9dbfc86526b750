import { maskText } from './mask.ts';

/** What a log line says about an error. Only these: other properties of errors hold requests, headers and payloads. */
export interface ErrorRecord {
  /** The error's name, such as TypeError. */
  type: string;
  /** Its `code`, such as ECONNREFUSED, when it has one. */
  code?: string | number;
  /** Its message with addresses and card numbers masked. */
  message: string;
  /** Its stack, masked as well; only where stacks are asked for. */
  stack?: string;
  /** What caused it: the only place where Node's fetch says why it failed. */
  cause?: ErrorRecord;
}

const DEEPEST_CAUSE = 4;

/** Turns whatever was thrown into a record. */
export function errorRecord(thrown: unknown, withStack: boolean, depth = 1): ErrorRecord {
  const { name, message, code, stack, cause } = (Object(thrown) as Partial<Error> & { code?: unknown }) ?? {};
  const record: ErrorRecord = {
    type: typeof name === 'string' ? name : typeof thrown,
    message: maskText(typeof message === 'string' ? message : typeof thrown === 'string' ? thrown : 'no message'),
  };
  if (typeof code === 'string') record.code = maskText(code);
  if (typeof code === 'number') record.code = code;
  if (withStack && typeof stack === 'string') record.stack = maskText(stack);
  if (cause !== undefined && depth < DEEPEST_CAUSE) record.cause = errorRecord(cause, withStack, depth + 1);
  return record;
}
