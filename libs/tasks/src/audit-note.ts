import { maskText } from '@coordinator/logging';

/** Who does something by hand, and why. The audit log keeps it, with what was changed and when by the clock of Redis. */
export interface AuditNote {
  /** Name of the token. */
  readonly by: string;
  /** Free text, see {@link auditText}. */
  readonly why: string;
  /** Of the request that asked for it: its trace id. */
  readonly requestId: string;
  /** Of the process that did it. */
  readonly release: string;
}

/** Longer reasons are cut. */
export const LONGEST_WHY = 500;

/**
 * A text as it may stand in the audit log for years: what looks like an e-mail address, a card number or a token is
 * masked, and what a terminal would obey is written out (`\\u001b`).
 */
export function auditText(text: string): string {
  const masked = maskText(text.slice(0, LONGEST_WHY));
  return masked.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (sign) => {
    const code = sign.codePointAt(0) as number;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** A note as the scripts take it. */
export function noteArguments({ by, why, requestId, release }: AuditNote): string[] {
  return [by, auditText(why), requestId, release];
}
