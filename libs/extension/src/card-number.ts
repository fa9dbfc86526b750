import { CoordinatorError } from '@coordinator/tasks';

/** What a caller is told. */
const REFUSAL = 'The request holds the number of a payment card: leave it out';

/**
 * 13 to 19 digits, alone or in groups, that are not part of a longer word or number; with the spaces and dashes of pages, and
 * the dots, bars and underscores of those who keep numbers apart.
 */
const CANDIDATE = /(?<![\w.-])\d(?:[\s\u2010-\u2015._/-]{0,2}\d){12,18}(?![\w-]|\.\d)/g;
const SHORTEST = 13;
/** Most texts have no such run of digits, and finding that out costs less. */
const LONG_RUN = /\d(?:[\s\u2010-\u2015._/-]{0,2}\d){12}/;
const SEPARATORS = /[\s\u2010-\u2015._/-]/g;
/** Digits of another width, and characters that nobody sees, are written in other places of Unicode. */
const NOT_ASCII = /[^\p{ASCII}]/u;

/**
 * Issuer prefixes of the card networks with the lengths of their numbers. Without them one in ten of all long numbers
 * would pass for a card. Source: https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
 */
const ISSUED = new RegExp(
  [
    '^4(\\d{12}|\\d{15}|\\d{18})$', // Visa
    '^(5[1-5]|2(2[2-9]|[3-6]\\d|7[01]))\\d{14}$|^(222[1-9]|2720)\\d{12}$', // Mastercard
    '^3[47]\\d{13}$', // American Express
    '^(6011|64[4-9]\\d|65\\d\\d)\\d{12,15}$', // Discover
    '^35(2[89]|[3-8]\\d)\\d{12,15}$', // JCB
    '^3(0[0-5]|[689]\\d)\\d{11,16}$', // Diners Club
    '^62\\d{14,17}$', // UnionPay
  ].join('|'),
);

/** Refuses the number of a payment card, anywhere in a value. @throws CoordinatorError COORD_BODY_INVALID */
export function refuseCardNumbers(value: unknown): void {
  if (holdsCardNumber(value)) throw new CoordinatorError('COORD_BODY_INVALID', REFUSAL);
}

/** Whether a text, number or name anywhere in a value is, or holds, the number of a payment card. */
export function holdsCardNumber(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= SHORTEST && textHoldsCardNumber(value);
  if (typeof value === 'number') return value >= 1e12 && isCardNumber(String(value));
  if (Array.isArray(value)) return value.some(holdsCardNumber);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([name, held]) => holdsCardNumber(name) || holdsCardNumber(held));
}

function textHoldsCardNumber(written: string): boolean {
  const text = NOT_ASCII.test(written) ? written.normalize('NFKC').replaceAll(/\p{Cf}/gu, '') : written;
  if (!LONG_RUN.test(text)) return false;
  for (const [candidate] of text.matchAll(CANDIDATE)) {
    if (isCardNumber(candidate.replaceAll(SEPARATORS, ''))) return true;
  }
  return false;
}

function isCardNumber(digits: string): boolean {
  return ISSUED.test(digits) && hasCheckDigit(digits);
}

/** Luhn's formula. Source: ISO/IEC 7812-1, annex B */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
