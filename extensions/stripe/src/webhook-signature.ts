import { CoordinatorError, type Secret, type SignatureAuthentication } from '@coordinator/extension';
import type { IncomingHttpHeaders } from 'node:http';
import { webhooks } from './official-webhooks.ts';

/** Why a webhook was not accepted. Its message holds nothing of the request. */
export class SignatureRefused extends Error {
  override readonly name = 'SignatureRefused';
}

/** Stripe's own tolerance. Source: https://docs.stripe.com/webhooks#replay-attacks */
const TOLERANCE_S = 300;
/** Of any scheme. Stripe sends one per active secret and a `v0` in test mode; more are an attempt to keep us busy. */
const MAX_SIGNATURES = 10;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/**
 * Checks the `Stripe-Signature` header against the raw bytes: any of the active secrets, at most 300 s old or ahead.
 * Source: https://docs.stripe.com/webhooks#verify-manually
 *
 * @param nowMs the present, in milliseconds since 1970. Default: the clock
 * @throws SignatureRefused, and CoordinatorError COORD_SIGNATURE_MALFORMED for a header that Stripe would not write
 *   (the returned function)
 */
export function stripeSignature(
  secrets: readonly Secret[],
  nowMs: () => number = Date.now,
): SignatureAuthentication['verify'] {
  return (rawBody, headers) => {
    const receivedAtMs = nowMs();
    const header = readHeader(headers['stripe-signature'], receivedAtMs);
    const signed = keepingByteOrderMark(rawBody);
    if (!secrets.some((secret) => isSigned(signed, header, secret, receivedAtMs))) {
      throw new SignatureRefused('No active secret has signed this body');
    }
  };
}

/** Checks of the header what needs no body. @throws as the check of {@link stripeSignature} */
export function screenSignature(headers: IncomingHttpHeaders): void {
  readHeader(headers['stripe-signature'], Date.now());
}

/**
 * What the official check is lenient about: it takes the digits that a timestamp begins with, the last of several
 * timestamps, one from the future, and any number of signatures.
 */
function readHeader(header: string | string[] | undefined, receivedAtMs: number): string {
  if (typeof header !== 'string') throw new SignatureRefused('There is no Stripe-Signature header');
  // With a limit, because 10,000 parts are not worth an array.
  const parts = header.split(',', MAX_SIGNATURES + 2);
  const timestamps = parts.filter((part) => part.startsWith('t='));
  if (parts.length - timestamps.length > MAX_SIGNATURES)
    throw malformed(`There are more than ${MAX_SIGNATURES} signatures`);
  const [timestamp] = timestamps;
  if (timestamps.length !== 1 || timestamp === undefined || !/^t=\d{10}$/.test(timestamp)) {
    throw malformed('The timestamp is not one number of ten digits');
  }
  const ageS = Math.floor(receivedAtMs / 1_000) - Number(timestamp.slice(2));
  if (Math.abs(ageS) > TOLERANCE_S) throw new SignatureRefused('The timestamp is not of the last five minutes');
  return header;
}

/** The official check decodes the bytes, which takes one byte order mark off; what is signed are the bytes. */
function keepingByteOrderMark(rawBody: Buffer): Buffer {
  return rawBody.subarray(0, 3).equals(BYTE_ORDER_MARK) ? Buffer.concat([BYTE_ORDER_MARK, rawBody]) : rawBody;
}

function isSigned(rawBody: Buffer, header: string, secret: Secret, receivedAtMs: number): boolean {
  try {
    return webhooks.signature.verifyHeader(rawBody, header, secret.reveal(), TOLERANCE_S, undefined, receivedAtMs);
  } catch {
    // The error quotes the body and the header of a stranger, so it goes no further.
    return false;
  }
}

function malformed(message: string): CoordinatorError {
  return new CoordinatorError('COORD_SIGNATURE_MALFORMED', message);
}
