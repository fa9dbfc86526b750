import { hiddenValues, replaceValues } from './hidden-values.ts';

/** What stands in the place of a value that must not be seen. */
export const REDACTED = '[redacted]';

/** Longer texts are cut: a hostile or careless text must not become a line of megabytes, nor keep the masks busy. */
const LONGEST_TEXT = 8192;

// Bounded counts keep both linear: without them a long text without a dot behind its @ costs quadratic time.
const EMAIL = /[\p{L}\p{N}._+'-]{1,64}(?:@|%40)(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,}/giu;
// Up to the last @: a password may hold one.
const URL_CREDENTIALS = /:\/\/[^\s/]{1,512}@/g;
// Credentials that are known by their look: RFC 6750 and RFC 7617 headers, JSON Web Tokens, and keys with the telling
// prefixes of payment, source code and cloud providers.
const TOKENS =
  /\b(?:(Bearer|Basic) +[\w.~+/=-]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.?[\w-]*|(?:[spr]k_(?:live|test)|whsec|gh[pousr]|github_pat|xox[abprs]|AKIA)[_A-Z0-9-][\w-]{8,})/gi;
const DIGIT_GROUPS = /(?<!\w)\d+(?:[ -]\d+)*(?!\w)/g;

/**
 * The text with e-mail addresses, card numbers, tokens, the credentials of URLs and what {@link hidingValues} hides
 * replaced; cut after 8192 characters.
 */
export function maskText(text: string): string {
  let masked = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…[cut]` : text;
  masked = replaceValues(masked, hiddenValues(), REDACTED);
  if (masked.includes('@') || masked.includes('%40')) {
    masked = masked.replace(URL_CREDENTIALS, `://${REDACTED}@`).replace(EMAIL, REDACTED);
  }
  if (masked.length >= 13) masked = masked.replace(TOKENS, REDACTED);
  // No text of fewer than 13 characters holds a card number, and most values of a log line are that short.
  return masked.length < 13 ? masked : masked.replace(DIGIT_GROUPS, maskCards);
}

/**
 * Looks for a card number in any neighbouring groups of digits, because texts put other numbers next to one
 * ("4111 1111 1111 1111 12/28").
 */
function maskCards(run: string): string {
  if (run.length < 13) return run;
  const groups = [...run.matchAll(/\d+/g)];
  for (const [first, start] of groups.entries()) {
    let digits = '';
    for (const group of groups.slice(first, first + 19)) {
      digits += group[0];
      if (digits.length > 19) break;
      if (!isCardNumber(digits)) continue;
      return run.slice(0, start.index) + REDACTED + maskCards(run.slice(group.index + group[0].length));
    }
  }
  return run;
}

/** 13 to 19 digits with a right Luhn digit. None begins with 0 or 1 in use by cards, but times in ms begin with 1. */
function isCardNumber(digits: string): boolean {
  if (!/^[2-9]\d{12,18}$/.test(digits)) return false;
  let sum = 0;
  for (const [place, digit] of [...digits].reverse().entries()) {
    const doubled = place % 2 === 1 ? Number(digit) * 2 : Number(digit);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
