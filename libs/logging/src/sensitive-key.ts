const WHOLE_KEYS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'credentials',
  'private-key',
  'signature',
  'name',
  '(first|last|full|given|family|middle|display)-name',
  'phone',
  'phone-number',
  'mobile',
  'address',
  'address-line-?[12]',
  'street',
  'postal-code',
  'postcode',
  'zip',
  'date-of-birth',
  'ssn',
  'ip-address',
  'remote-address',
  'card',
  'card-number',
  'pan',
  'cvc',
  'cvv',
  'iban',
  'account-number',
];
const ENDINGS = ['password', 'passwd', 'secret', 'token', 'tokens', 'api-key', 'e?mail', 'email-address'];

// A dash in the lists stands for any of first-name, first_name, firstName.
const pattern = (keys: readonly string[]): string => keys.join('|').replace(/-(?!\?)/g, '[-_]?');
const SENSITIVE = new RegExp(`^(?:${pattern(WHOLE_KEYS)})$|(?:${pattern(ENDINGS)})$`, 'i');

/** Whether a field of this name is kept out of logs whatever it holds. Case and `-`/`_` between words do not matter. */
export function isSensitiveKey(key: string): boolean {
  return SENSITIVE.test(key);
}
