import type { Effect, Ledger } from '@coordinator/extension';

/** One effect that a fake service really did. */
export interface LedgerEntry {
  /** ISO 8601, when it was done. */
  readonly at: string;
  /** `<service>.<verb>`: `lms.enrol`. */
  readonly effect: string;
  /** The business thing it is about: `order:D-1001`. */
  readonly subject: string;
  readonly idempotencyKey: string | undefined;
  /** How often it was asked for again under the same identity, without another effect. */
  readonly repeats: number;
  /** What was asked for. */
  readonly request: unknown;
}

/** Which entries to see. Default: all. */
export interface LedgerFilter {
  readonly effect?: string | undefined;
  readonly subject?: string | undefined;
}

/** Books what fakes did, one row per effect; it never forgets a row before clear(), so that books can balance. */
export class EffectLedger implements Ledger {
  #entries: { -readonly [K in keyof LedgerEntry]: LedgerEntry[K] }[] = [];
  readonly #byIdentity = new Map<string, { repeats: number }>();
  readonly #onChange: () => void;

  /** @param onChange called after each record. Default: nothing */
  constructor(onChange: () => void = () => undefined) {
    this.#onChange = onChange;
  }

  /** Notes an effect. True: the identity was known under this effect's name, so nothing was done but counting. */
  record({ effect, subject, idempotencyKey, request, identity = idempotencyKey }: Effect): boolean {
    const key = identity === undefined ? undefined : `${effect}\n${identity}`;
    const known = key === undefined ? undefined : this.#byIdentity.get(key);
    if (known) {
      known.repeats += 1;
    } else {
      const entry = { at: new Date().toISOString(), effect, subject, idempotencyKey, repeats: 0, request };
      this.#entries.push(entry);
      if (key !== undefined) this.#byIdentity.set(key, entry);
    }
    this.#onChange();
    return known !== undefined;
  }

  /** Copies of the rows, oldest first. */
  entries({ effect, subject }: LedgerFilter = {}): LedgerEntry[] {
    return this.#entries
      .filter((entry) => (effect ?? entry.effect) === entry.effect && (subject ?? entry.subject) === entry.subject)
      .map((entry) => ({ ...entry }));
  }

  /** Forgets everything. */
  clear(): void {
    this.#entries = [];
    this.#byIdentity.clear();
  }
}
