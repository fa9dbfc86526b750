import { readKeySet, type KeySet } from '@coordinator/config';
import type { Logger } from '@coordinator/logging';
import { keepFresh } from '@coordinator/process';
import { CoordinatorError, RepeatedErrors } from '@coordinator/tasks';
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';

/** Whose JWTs callers may show. */
export interface JwtSettings {
  /** A JSON Web Key Set with the public keys of the issuer; it is read again when it changes. */
  readonly keysFile: string;
  readonly issuer: string;
  readonly audience: string;
  /** What a JWT has to allow, among the rest that the issuer's users may do. */
  readonly scope: string;
  readonly log: Logger;
  /** How often the file is looked at. Default 10 000. */
  readonly reloadEveryMs?: number | undefined;
}

/** Of public keys only: with another, a key that everybody may know would be a secret to sign with. */
const ALGORITHMS = ['RS256', 'RS512', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
/** How far the clocks of the issuer and of this machine may be apart. */
const SKEW_S = 30;
/** How many verified JWTs are remembered. */
const MAX_KNOWN = 1_000;
const SUBJECT = /^[\x21-\x7e]{1,255}$/;

interface Known {
  readonly caller: string;
  /** In seconds since 1970, as in the JWT. */
  readonly expiresAt: number;
}

/**
 * Checks JWTs: signature, issuer, audience, times, scope. Keys come from the settings alone: what a header says of keys
 * is compared with their ids, and never followed.
 */
export class JwtCheck {
  readonly #settings: JwtSettings;
  readonly #refusals: RepeatedErrors;
  #keyOf!: ReturnType<typeof createLocalJWKSet>;
  /** Those whose signature has been verified, by digest: callers show one JWT many times. */
  #known = new Map<string, Known>();

  /** Stops looking at the file. */
  readonly close: () => void;

  /** @throws FieldFault when the file holds no keys that can be used */
  constructor(settings: JwtSettings) {
    const { keysFile, issuer, log, reloadEveryMs } = settings;
    this.#settings = settings;
    this.#refusals = new RepeatedErrors((fields, message) => log.warn(fields, message));
    const keys = readKeySet(keysFile);
    this.#use(keys);
    this.close = keepFresh({
      read: () => readKeySet(keysFile),
      first: keys,
      use: (found) => this.#use(found),
      messages: {
        taken: 'the keys of JWTs were read again',
        refused: 'the keys of JWTs cannot be used: those that were read before stay in use',
      },
      ...{ log, reloadEveryMs },
    });
    log.info({ issuer, keys: keys.keys.map(({ kid }) => kid) }, 'JWTs are taken for tokens');
  }

  /** What keys that are gone have signed counts no longer. */
  #use(keys: KeySet): void {
    this.#keyOf = createLocalJWKSet(keys as JSONWebKeySet);
    this.#known = new Map();
  }

  /**
   * The caller that a JWT names: `sub=` and its subject. Names in API_TOKENS have no `=`, so that none is equal to it.
   *
   * @param digest of the token
   * @throws CoordinatorError COORD_UNAUTHORIZED for all that is no valid JWT, COORD_FORBIDDEN for one without the scope
   */
  async callerOf(token: string, digest: string): Promise<string> {
    // Those of the keys that this one is checked with: others may come meanwhile.
    const known = this.#known;
    const found = known.get(digest);
    if (found && found.expiresAt > nowS() - SKEW_S) return found.caller;
    const { sub, exp = 0, ...claims } = await this.#verified(token);
    const caller = `sub=${sub}`;
    if (!allows(claims, this.#settings.scope)) {
      this.#refuse(`${caller} does not have the scope`);
      throw new CoordinatorError('COORD_FORBIDDEN');
    }
    // What is shown often comes again; whoever has to be verified once more loses a tenth of a millisecond.
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(digest, { caller, expiresAt: exp });
    return caller;
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.#settings;
    const times = { clockTolerance: SKEW_S, requiredClaims: ['exp'] };
    try {
      const { payload } = await jwtVerify(token, this.#keyOf, { issuer, audience, algorithms: ALGORITHMS, ...times });
      if ((payload.iat ?? 0) > nowS() + SKEW_S) throw new errors.JWTClaimValidationFailed('', payload, 'iat');
      if (typeof payload.sub !== 'string' || !SUBJECT.test(payload.sub))
        throw new errors.JWTClaimValidationFailed('', payload, 'sub');
      return payload;
    } catch (error) {
      // To the caller all refusals are one. The words of an error may hold a part of the JWT: they are not logged.
      const { name, code = name, claim } = error as Partial<errors.JWTClaimValidationFailed>;
      this.#refuse(claim === undefined ? String(code) : `${code} ${claim}`);
      throw new CoordinatorError('COORD_UNAUTHORIZED');
    }
  }

  /** For whoever wonders why theirs does not count; each reason once in a while, as strangers may send many. */
  #refuse(reason: string): void {
    this.#refusals.report(new Error(reason), 'a JWT was refused');
  }
}

/** Whether it has the scope: in `scope`, as RFC 9068 writes it, or in `scopes`, as Open edX does. */
function allows({ scope, scopes }: JWTPayload, wanted: string): boolean {
  const given = typeof scope === 'string' ? scope.split(' ') : scopes;
  return Array.isArray(given) && given.includes(wanted);
}

function nowS(): number {
  return Date.now() / 1_000;
}
