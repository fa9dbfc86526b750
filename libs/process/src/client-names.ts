import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

/** Whether a certificate has one of the names that were allowed. */
export type ClientNameCheck = (certificate: X509Certificate | undefined) => boolean;

/**
 * Makes the check against a list of subject alternative names: host names, IP addresses, and URIs such as
 * `spiffe://prod/shop`. A name is compared as a whole and with its kind; there are no wildcards.
 */
export function clientNameCheck(allowed: readonly string[]): ClientNameCheck {
  const known = new Set(allowed.map((name) => withKind(name)));
  return (certificate) => namesOf(certificate).some((name) => known.has(name));
}

/**
 * The subject alternative names of a certificate, each with its kind, as Node writes them: `DNS:shop.test`. None where a
 * name is quoted: it holds what could be taken for the end of it and the beginning of another.
 * Source: https://nodejs.org/api/crypto.html#x509subjectaltname
 */
export function namesOf(certificate: X509Certificate | undefined): string[] {
  const text = certificate?.subjectAltName ?? '';
  if (text === '' || text.includes('"')) return [];
  return text.split(', ').map((name) => (name.startsWith('DNS:') ? `DNS:${name.slice(4).toLowerCase()}` : name));
}

function withKind(name: string): string {
  if (name.includes('://')) return `URI:${name}`;
  return isIP(name) ? `IP Address:${name.toUpperCase()}` : `DNS:${name.toLowerCase()}`;
}
