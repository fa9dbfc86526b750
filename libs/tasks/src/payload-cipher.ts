import type { Secret } from '@coordinator/config';
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
  type KeyObject,
} from 'node:crypto';
import { CoordinatorError } from './error-codes.ts';
import { scopeOf } from './fingerprint.ts';

/** Where a text is stored: what was encrypted for one place does not decrypt in another. */
export interface StoredPlace {
  readonly jobId: string;
  /** Field of the job's record, such as `payload`. */
  readonly field: string;
}

/** The stored text is encrypted with a key that this process was not given. */
export class KeyUnknown extends CoordinatorError {
  override readonly name = 'KeyUnknown';
  readonly keyId: string;

  constructor(keyId: string) {
    super('COORD_PAYLOAD_KEY_UNKNOWN', `The payload is encrypted with key ${keyId}, which PAYLOAD_KEYS does not hold`);
    this.keyId = keyId;
  }
}

interface RingKey {
  readonly id: string;
  readonly encryption: KeyObject;
  readonly fingerprint: KeyObject;
}

const PREFIX = 'enc1:';
const SEALED = /^enc1:([\w.-]{1,64}):([\w-]*)$/;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FINGERPRINT_LENGTH = 22;
const CHECK_LENGTH = 6;

/**
 * Encrypts what a job's record holds of its payload, with AES-256-GCM (NIST SP 800-38D) and a random IV of 96 bits, as
 * `enc1:<key id>:<base64url of IV, ciphertext, tag>`. Place and key id are authenticated with it.
 *
 * A key id is the name of the key in the environment and six characters that are made from the key itself: another key
 * under a known name is a key that is missing, and not a reason to take its jobs for damaged.
 */
export class PayloadCipher {
  readonly #keys: readonly RingKey[];
  readonly #byId: ReadonlyMap<string, RingKey>;
  readonly #ivs = Buffer.alloc(IV_BYTES * 256);
  #nextIv = this.#ivs.length;

  /** @param keys base64 of 32 bytes by name; the first one encrypts. Default none: texts are stored in the clear */
  constructor(keys: ReadonlyMap<string, Secret> = new Map()) {
    this.#keys = Array.from(keys, ([name, secret]) => ringKey(name, Buffer.from(secret.reveal(), 'base64')));
    this.#byId = new Map(this.#keys.map((key) => [key.id, key]));
  }

  /** Of all keys, the one that encrypts first. Empty when texts are stored in the clear. */
  get keyIds(): string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** The text as it is to be stored. */
  encrypt(text: string, place: StoredPlace): string {
    const [key] = this.#keys;
    if (!key) return text;
    const iv = this.#iv();
    const cipher = createCipheriv('aes-256-gcm', key.encryption, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(key.id, place));
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}${key.id}:${sealed.toString('base64url')}`;
  }

  /**
   * The text that was stored; one in the clear is given as it is, because it may be older than the keys.
   *
   * @throws KeyUnknown; CoordinatorError COORD_ENVELOPE_UNREADABLE for a text that was changed, or belongs elsewhere
   */
  decrypt(stored: string, place: StoredPlace): string {
    if (!stored.startsWith(PREFIX)) return stored;
    const [, keyId = '', body = ''] = SEALED.exec(stored) ?? [];
    const sealed = Buffer.from(body, 'base64url');
    if (sealed.length < IV_BYTES + TAG_BYTES) throw new CoordinatorError('COORD_ENVELOPE_UNREADABLE');
    const key = this.#byId.get(keyId);
    if (!key) throw new KeyUnknown(keyId);
    const options = { authTagLength: TAG_BYTES };
    const cipher = createDecipheriv('aes-256-gcm', key.encryption, sealed.subarray(0, IV_BYTES), options);
    cipher.setAAD(associatedData(keyId, place));
    cipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = cipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
    try {
      return Buffer.concat([text, cipher.final()]).toString('utf8');
    } catch {
      throw new CoordinatorError('COORD_ENVELOPE_UNREADABLE');
    }
  }

  /**
   * A content's fingerprint as it is to be stored: a bare hash would confirm every guess of a payload. One under each
   * key, the one that encrypts first: both sides of a rotation find a key that they share.
   */
  fingerprint(hash: string): string {
    if (hash === '' || this.#keys.length === 0) return hash;
    const under = ({ id, fingerprint }: RingKey) => {
      const mac = createHmac('sha256', fingerprint).update(hash).digest('base64url');
      return `${scopeOf(hash)}${id}:${mac.slice(0, FINGERPRINT_LENGTH)}`;
    };
    return this.#keys.map(under).join(',');
  }

  /** Random bytes cost more by the call than by the byte. */
  #iv(): Buffer {
    if (this.#nextIv === this.#ivs.length) {
      randomFillSync(this.#ivs);
      this.#nextIv = 0;
    }
    return this.#ivs.subarray(this.#nextIv, (this.#nextIv += IV_BYTES));
  }
}

function ringKey(name: string, bytes: Buffer): RingKey {
  const derived = (purpose: string) => Buffer.from(hkdfSync('sha256', bytes, '', `coordinator ${purpose}`, 32));
  const check = derived('key check').toString('base64url').slice(0, CHECK_LENGTH);
  return {
    id: `${name}.${check}`,
    encryption: createSecretKey(bytes),
    fingerprint: createSecretKey(derived('fingerprint')),
  };
}

function associatedData(keyId: string, { jobId, field }: StoredPlace): Buffer {
  return Buffer.from(`${PREFIX}${keyId}\0${jobId}\0${field}`);
}
