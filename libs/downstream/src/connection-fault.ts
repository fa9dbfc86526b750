import { errors } from 'undici';
import { Deadline } from './deadline.ts';
import type { Fault } from './ending.ts';

// The codes of OpenSSL and Node for a certificate that is not accepted; see "X509 certificate error codes" in Node's tls.
const CERTIFICATE =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|INVALID_CA$|INVALID_PURPOSE$|PATH_LENGTH_EXCEEDED$|HOSTNAME_MISMATCH$)/;
/** What an error of undici or of a socket says about the request. `sent`: whether any of it may have been written. */
export function connectionFault(error: unknown, sent: boolean): Fault {
  const type = codeOf(error);
  if (sent) return { kind: isUnreadable(error) ? 'unreadable' : 'lost', type, cause: error };
  const refused = type === 'UND_ERR_INVALID_ARG' || CERTIFICATE.test(type);
  return { kind: refused ? 'refused' : 'unsent', type, cause: error };
}

/** What an aborted signal says about the request. */
export function abortFault(reason: unknown, sent: boolean): Fault {
  const type = reason === Deadline.timedOut ? 'timeout' : 'aborted';
  return { kind: sent ? 'lost' : 'unsent', type, cause: reason };
}

function isUnreadable(error: unknown): boolean {
  if (error instanceof errors.HeadersOverflowError) return true;
  // It holds what could not be parsed: nothing, when the connection ended in the middle, which is a lost answer.
  // undici's types do not know the property.
  return error instanceof errors.HTTPParserError && (error as { data?: unknown }).data !== '';
}

function codeOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}
