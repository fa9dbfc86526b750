import { globalRegistry, type z } from 'zod';
import { field, FieldFault, withDefault, type Field } from './field.ts';
import { Secret } from './secret.ts';

/** What the base address of a service must be, to complete a sentence. */
export const SERVICE_MUST =
  'must be an http:// or https:// address without user, query or fragment, its host written as it is called';
const REDIS_MUST = 'must be an address such as redis://host:6379 or rediss://host:6379/0';

// Scheme, host and port as written. A backslash is a slash to browsers and URL, and to nobody else.
const AUTHORITY = /^https?:\/\/([^/?#\\]*?)(:\d*)?(\/[^?#\\]*)?$/i;

/**
 * Reads the base address of a service; undefined when it is none. URL makes sense of almost anything: `127.1`, `0177.0.0.1`
 * and `2852039166` are addresses to it, which a reader of the configuration does not see, so the host must be written as it
 * will be called.
 */
export function readServiceUrl(text: string): URL | undefined {
  const written = AUTHORITY.exec(text.trim())?.[1];
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  return url && url.hostname !== '' && url.hostname === written?.toLowerCase() ? url : undefined;
}

/**
 * The base address of a service, without a trailing slash so that a path can be appended. Credentials do not belong
 * in it: they would reach logs and spans with the address; give them a secret() of their own. In the config of an
 * extension it says that the extension calls this service; clients of an extension lead to no other.
 */
export function serviceUrl(): Field<string> {
  const required = field((text) => {
    const url = readServiceUrl(text);
    if (!url) throw new FieldFault(SERVICE_MUST);
    return url.href.replace(/\/+$/, '');
  });
  return required.meta({ serviceUrl: true });
}

/** Whether a field was made by {@link serviceUrl}, be it optional or with a default. */
export function isServiceUrl(schema: z.core.$ZodType): boolean {
  if (globalRegistry.get(schema)?.serviceUrl === true) return true;
  const { innerType } = schema._zod.def as { innerType?: z.core.$ZodType };
  return innerType !== undefined && isServiceUrl(innerType);
}

/** The address of a Redis, redis:// or rediss:// (TLS). May hold a password, and is a secret. Required without default. */
export function redisUrl(byDefault?: string): Field<Secret> {
  return withDefault(
    field((text) => {
      const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
      if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === '') throw new FieldFault(REDIS_MUST);
      return new Secret(text.trim());
    }),
    byDefault === undefined ? undefined : new Secret(byDefault),
  );
}
