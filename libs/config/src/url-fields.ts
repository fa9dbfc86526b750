import { field, FieldFault, withDefault, type Field } from './field.ts';

const SERVICE_MUST = 'must be an http:// or https:// address without user, query or fragment';
const REDIS_MUST = 'must be an address such as redis://host:6379 or rediss://host:6379/0';

function parse(text: string, protocols: readonly string[], must: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !protocols.includes(url.protocol) || url.hostname === '') throw new FieldFault(must);
  return url;
}

/**
 * The base address of a service, without a trailing slash so that a path can be appended. Credentials do not belong
 * in it: they would reach logs and spans with the address; give them a secret() of their own.
 */
export function serviceUrl(): Field<string> {
  return field((text) => {
    const url = parse(text, ['http:', 'https:'], SERVICE_MUST);
    // '?' and '#' with nothing behind them leave search and hash empty, yet spoil a path appended later.
    if (url.username || url.password || /[?#]/.test(text)) throw new FieldFault(SERVICE_MUST);
    return url.href.replace(/\/+$/, '');
  });
}

/** The address of a Redis, redis:// or rediss:// (TLS). May hold a password: do not log it. Required without default. */
export function redisUrl(byDefault?: string): Field<string> {
  return withDefault(
    field((text) => {
      parse(text, ['redis:', 'rediss:'], REDIS_MUST);
      return text.trim();
    }),
    byDefault,
  );
}
