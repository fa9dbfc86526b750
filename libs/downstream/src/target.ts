import { readServiceUrl, SERVICE_MUST } from '@coordinator/config';
import { addressKind, literalAddress } from './address.ts';
import type { DownstreamRequest, FormFields } from './downstream-request.ts';

/**
 * Reads a base URL.
 *
 * @param what is said to be wrong: the variable that holds it. Default `A base URL`
 * @throws RangeError when it is not a service address (see `readServiceUrl`), or names an address that is never called:
 *   link-local, metadata of a cloud, unspecified, multicast, reserved. The message does not quote it.
 */
export function readBaseUrl(text: string, what = 'A base URL'): URL {
  const url = readServiceUrl(text);
  if (!url) throw new RangeError(`${what} ${SERVICE_MUST}`);
  const address = literalAddress(url.hostname);
  // Private ones are allowed: whoever sets the URL means that very address, and no name server can change it.
  if (address !== undefined && addressKind(address) === 'forbidden') {
    throw new RangeError(`${what} must not name an address that is link-local, metadata of a cloud or reserved`);
  }
  return url;
}

/** `a=1&b=2`; see {@link FormFields}. */
export function encodeFields(fields: FormFields): string {
  const encoded = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    for (const one of [value].flat()) if (one !== undefined) encoded.append(key, String(one));
  }
  return encoded.toString();
}

// What RFC 3986 section 3.3 allows in a path, with templates; a backslash is a slash to some servers, so it is not in.
const PATH = /^(\/[A-Za-z0-9\-._~!$&'()*+,;=:@%{}]*)+$/;
// Proxies such as nginx decode %2F before they resolve the dots.
const DOT_SEGMENT = /(\/|%2f|%5c)(\.|%2e){1,2}(\/|%2f|%5c|$)/i;

/**
 * The path and query of a request below a base URL, which no value in it can leave.
 *
 * @throws RangeError when the path is not one, or would be another one to a server that tidies it up
 */
export function targetPath(base: URL, request: Pick<DownstreamRequest, 'path' | 'params' | 'query'>): string {
  const { path, params = {}, query = {} } = request;
  if (!PATH.test(path)) throw new RangeError('its path does not begin with / or holds what no path may hold');
  const filled = path.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const value = Object.hasOwn(params, name) ? String(params[name]) : '';
    if (value === '') throw new RangeError(`its path has no value for {${name}}`);
    return encode(name, value);
  });
  if (/[{}]/.test(filled)) throw new RangeError('its path holds a brace without its partner');
  if (filled.includes('//') || DOT_SEGMENT.test(filled)) {
    throw new RangeError('its path holds an empty segment, . or ..');
  }
  const search = encodeFields(query);
  return base.pathname.replace(/\/+$/, '') + filled + (search && `?${search}`);
}

function encode(name: string, value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    throw new RangeError(`its path has a value for {${name}} that is not well-formed text`);
  }
}
