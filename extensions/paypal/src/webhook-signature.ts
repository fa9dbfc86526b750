import { CoordinatorError, type SignatureAuthentication } from '@coordinator/extension';
import { verify, type X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';

/** Why a webhook was not accepted. Its message holds nothing of the request. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused';
}

/** No certificate in the configuration is valid now, so that nothing can be accepted until somebody replaces it. */
export class CertificateExpired extends Error {
  override readonly name = 'CertificateExpired';
}

/** What may have signed. */
export interface WebhookKeys {
  /** Ids of the webhook at PayPal. */
  readonly webhookIds: readonly string[];
  readonly certificates: readonly X509Certificate[];
}

/** The headers of a webhook, each of the form that PayPal gives it. */
interface Transmission {
  readonly id: string;
  /** As it was sent. */
  readonly time: string;
  readonly signature: Buffer;
}

const HOUR_MS = 3_600_000;
/**
 * PayPal repeats a message for three days, and does not say whether the time is that of the first transmission or of each.
 * Less than the 96 hours for which ids of events are remembered: what is older than those is refused here.
 * Source: https://developer.paypal.com/api/rest/webhooks/#link-eventheaders
 */
const MAX_AGE_MS = 75 * HOUR_MS;
const MAX_AHEAD_MS = 300_000;
const ALGORITHM = 'SHA256withRSA';

const TRANSMISSION_ID = /^[A-Za-z0-9-]{1,50}$/;
/** RFC 3339, section 5.6. */
const TRANSMISSION_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
/** Of keys of up to 8192 bits. */
const SIGNATURE = /^[A-Za-z0-9+/]{1,1366}={0,2}$/;

/**
 * Checks the `PAYPAL-*` headers against the raw bytes: any of the certificates, for any of the webhook ids, at most 75
 * hours old. What is signed is a CRC32 of the body, and anybody can make another body with the same one: it says who has
 * sent something, and nothing about what. `PAYPAL-CERT-URL` is not read.
 * Source: https://developer.paypal.com/api/rest/webhooks/rest/#link-selfverificationmethod
 *
 * @param nowMs the present, in milliseconds since 1970. Default: the clock
 * @throws SignatureRefused, CertificateExpired, and CoordinatorError COORD_SIGNATURE_MALFORMED for headers that PayPal
 *   would not write (the returned function)
 */
export function paypalSignature(
  { webhookIds, certificates }: WebhookKeys,
  nowMs: () => number = Date.now,
): SignatureAuthentication['verify'] {
  return (rawBody, headers) => {
    const receivedAtMs = nowMs();
    const { id, time, signature } = readTransmission(headers, receivedAtMs);
    const valid = certificates.filter((certificate) => isValid(certificate, receivedAtMs));
    if (valid.length === 0) throw new CertificateExpired('No certificate of PAYPAL_WEBHOOK_CERTS is valid now');
    const checksum = crc32(rawBody);
    const signed = webhookIds.map((webhookId) => Buffer.from(`${id}|${time}|${webhookId}|${checksum}`));
    const isSigned = valid.some(({ publicKey }) => signed.some((text) => verify('sha256', text, publicKey, signature)));
    if (!isSigned) throw new SignatureRefused('No certificate has signed this body for one of the webhook ids');
  };
}

function readTransmission(headers: IncomingHttpHeaders, receivedAtMs: number): Transmission {
  const id = readHeader(headers, 'paypal-transmission-id', TRANSMISSION_ID);
  const time = readHeader(headers, 'paypal-transmission-time', TRANSMISSION_TIME);
  const signature = readHeader(headers, 'paypal-transmission-sig', SIGNATURE);
  if (readHeader(headers, 'paypal-auth-algo', /^[A-Za-z0-9]{1,100}$/) !== ALGORITHM) {
    throw new SignatureRefused(`The algorithm is not ${ALGORITHM}`);
  }
  const ageMs = receivedAtMs - Date.parse(time);
  if (Number.isNaN(ageMs)) throw malformed('paypal-transmission-time');
  if (ageMs > MAX_AGE_MS || ageMs < -MAX_AHEAD_MS) throw new SignatureRefused('The time is not of the last three days');
  return { id, time, signature: Buffer.from(signature, 'base64') };
}

/** What is signed joins the values by `|`, so that none may hold it; a header that comes twice holds a comma. */
function readHeader(headers: IncomingHttpHeaders, name: string, form: RegExp): string {
  const value = headers[name];
  if (value === undefined) throw new SignatureRefused(`There is no ${name} header`);
  if (typeof value !== 'string' || !form.test(value)) throw malformed(name);
  return value;
}

function malformed(name: string): CoordinatorError {
  return new CoordinatorError('COORD_SIGNATURE_MALFORMED', `The ${name} header has not the form that PayPal gives it`);
}

function isValid({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}
