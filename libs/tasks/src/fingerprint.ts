import { hash } from 'node:crypto';

const LENGTH = 22;

/**
 * A hash of a payload: the same idempotency key with another one shows a mistake of the caller. Versions of a payload are
 * not compared with each other, because the same request becomes another payload in another release: `v2/:<hash>`, and a
 * bare hash for version 1.
 */
export function fingerprintOf(payload: string, payloadVersion: number): string {
  const hashed = hash('sha256', payload, 'base64url').slice(0, LENGTH);
  return payloadVersion === 1 ? hashed : `v${payloadVersion}/:${hashed}`;
}

/**
 * A hash of a request's body, as it was sent: `body/:<hash>`. Source: section 2.4 of
 * https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-07
 */
export function requestFingerprint(body: Buffer): string {
  return `body/:${hash('sha256', body, 'base64url').slice(0, LENGTH)}`;
}

/** What stands before the hash: only fingerprints of one scope can be compared. */
export function scopeOf(fingerprint: string): string {
  return fingerprint.slice(0, Math.max(0, fingerprint.lastIndexOf(':')));
}

/** Whether a sent fingerprint shows another content than the stored one; an empty one stands for any content. */
export function isOtherContent(stored: string, sent: string): boolean {
  return stored !== '' && sent !== '' && scopeOf(stored) === scopeOf(sent) && stored !== sent;
}
