import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { field, FieldFault, type Field } from './field.ts';

/** Public keys with which signatures are checked: a JSON Web Key Set. Source: https://www.rfc-editor.org/rfc/rfc7517 */
export interface KeySet {
  readonly keys: readonly JsonWebKey[];
}

const MUST = 'must name a file with a JSON Web Key Set';
const USABLE = 'RSA of 2048 bits or more, P-256 or Ed25519';
const MIN_RSA_BITS = 2_048;
/** Members that only the owner of a key may know. Source: https://www.rfc-editor.org/rfc/rfc7518#section-6 */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/**
 * The path of a file with a JSON Web Key Set of public keys; it is read again whenever it changes, so that keys can be
 * rotated. Name the variable …_FILE. Required: add `.optional()`.
 */
export function keySetFile(): Field<string> {
  return field((text) => {
    const path = text.trim();
    readKeySet(path);
    return path;
  });
}

/**
 * Reads the keys that can be used of a file with a JSON Web Key Set. Others are left out, as the RFC asks for: those for
 * encryption, and those of a kind or size that is not taken.
 *
 * @throws FieldFault when the file holds a private or symmetric key, none that can be used, or two that cannot be told apart
 */
export function readKeySet(path: string): KeySet {
  const keys = keysIn(path);
  if (keys.some(isPrivate)) {
    throw new FieldFault(
      'names a file with a private or symmetric key: only the public keys of the issuer belong there',
    );
  }
  const usable = keys.filter(isUsable);
  if (usable.length === 0) throw new FieldFault(`${MUST}, and it has no public key for signatures that is ${USABLE}`);
  const ids = new Set(usable.map(({ kid }) => kid));
  if (usable.length > 1 && (ids.has(undefined) || ids.size < usable.length)) {
    throw new FieldFault(`${MUST}: where there are several keys, each needs a \`kid\` of its own`);
  }
  return { keys: usable };
}

/** The words of the parsers are not repeated: they may hold a part of what they have read. */
function keysIn(path: string): readonly JsonWebKey[] {
  try {
    const { keys } = JSON.parse(readFileSync(path, 'utf8')) as { readonly keys?: unknown };
    if (Array.isArray(keys) && keys.every((key) => typeof key === 'object' && key !== null)) return keys;
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) throw new FieldFault(`${MUST}, and it cannot be read (${code})`);
  }
  throw new FieldFault(`${MUST}: {"keys":[…]}`);
}

function isPrivate(key: JsonWebKey): boolean {
  return key.kty === 'oct' || PRIVATE_MEMBERS.some((member) => key[member] !== undefined);
}

function isUsable(key: JsonWebKey): boolean {
  if (key['use'] !== undefined && key['use'] !== 'sig') return false;
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKey(key) ?? {};
  if (asymmetricKeyType === 'rsa') return Number(asymmetricKeyDetails?.modulusLength) >= MIN_RSA_BITS;
  return asymmetricKeyType === 'ed25519' || asymmetricKeyDetails?.namedCurve === 'prime256v1';
}

function publicKey(key: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key, format: 'jwk' });
  } catch {
    return undefined;
  }
}
