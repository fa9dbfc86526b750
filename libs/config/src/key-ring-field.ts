import { commaSeparated, field, FieldFault, type Field } from './field.ts';
import { Secret } from './secret.ts';

const KEY_BYTES = 32;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * Keys of 256 bits by id, `k2=BASE64,k1=BASE64`, in their order: the first one encrypts, all decrypt. Each Secret reveals
 * base64 of 32 bytes. A fault names every bad entry by its place only, because a slip would otherwise print a key.
 */
export function keyRing(): Field<ReadonlyMap<string, Secret>> {
  return field((text) => {
    const entries = commaSeparated(text).map(parseEntry);
    const faults = entries.flatMap(({ id, bytes }, index) => {
      const repeats = entries
        .slice(0, index)
        .some((earlier) => earlier.id === id || earlier.bytes?.equals(bytes ?? NONE));
      const fault = !KEY_ID.test(id) ? 'has no id of 1 to 32 letters, digits, - and _' : faultOf(bytes, repeats);
      return fault === undefined ? [] : [`entry ${index + 1} ${fault}`];
    });
    if (entries.length === 0) faults.push('it has none');
    if (faults.length > 0) throw new FieldFault(`must be id=key pairs separated by commas: ${faults.join(', ')}`);
    return new Map(entries.map(({ id, bytes = NONE }) => [id, new Secret(bytes.toString('base64'))]));
  });
}

const NONE = Buffer.alloc(0);

interface Entry {
  readonly id: string;
  /** Undefined when the text is no base64. */
  readonly bytes: Buffer | undefined;
}

/** Without a `=` all of it is taken for the key: an id is shown elsewhere, a key never is. */
function parseEntry(entry: string): Entry {
  const at = entry.indexOf('=');
  const key = entry.slice(at + 1).trim();
  // Buffer skips what is no base64, so a cut or mangled key would become another one.
  return {
    id: entry.slice(0, Math.max(at, 0)).trim(),
    bytes: BASE64.test(key) ? Buffer.from(key, 'base64') : undefined,
  };
}

function faultOf(bytes: Buffer | undefined, repeats: boolean): string | undefined {
  if (bytes?.length !== KEY_BYTES) return `is not ${KEY_BYTES} bytes of base64 (openssl rand -base64 ${KEY_BYTES})`;
  return repeats ? 'repeats an id or a key' : undefined;
}
