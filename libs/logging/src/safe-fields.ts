import { errorRecord } from './error-record.ts';
import type { LogFields } from './logger.ts';
import { maskText, REDACTED } from './mask.ts';
import { isSensitiveKey } from './sensitive-key.ts';

/** Objects below this depth (the fields themselves are 1) are not written: nobody has looked into them. */
const DEEPEST = 4;

/**
 * Returns a function that copies fields into what may be written: sensitive keys redacted, texts masked, errors as
 * records. Why not pino's own `redact`: it has to be given every key at every depth as a path (14 keys at 4 depths
 * cost 54 us a line where this costs 1), does not find keys within arrays, and cannot mask within a text.
 * @param withStacks whether error records have their stack
 */
export function createSafeFields(withStacks: boolean): (fields: LogFields) => Record<string, unknown> {
  const safeObject = (object: LogFields, depth: number): Record<string, unknown> => {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(object)) {
      copy[key] = isSensitiveKey(key) ? REDACTED : safeValue(object[key], depth, key);
    }
    return copy;
  };

  const safeValue = (value: unknown, depth: number, key?: string): unknown => {
    if (key === 'err') return errorRecord(value, withStacks);
    if (typeof value === 'string') return maskText(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Error) return errorRecord(value, withStacks);
    if ('toJSON' in value && typeof value.toJSON === 'function') return safeValue(value.toJSON(), depth);
    if (Array.isArray(value)) return depth < DEEPEST ? value.map((item) => safeValue(item, depth + 1)) : '[nested]';
    if (!isPlain(value)) return `[${value.constructor?.name ?? 'object'}]`;
    return depth < DEEPEST ? safeObject(value as LogFields, depth + 1) : '[nested]';
  };

  return (fields) => safeObject(fields, 1);
}

/** Sockets, requests and clients are whole graphs of objects, full of headers and payloads. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of another realm (a vm, jest) have another Object.prototype; what tells it apart is that nothing is above.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
