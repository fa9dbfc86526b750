import { createWriteStream, type WriteStream } from 'node:fs';

/** A call that would have an effect. */
export interface EffectCall {
  readonly destination: string;
  readonly idempotencyKey: string;
  readonly jobId: string;
  readonly note: string;
  readonly attempt: number;
  readonly lane?: string;
  readonly seq?: number;
  /** Process that called. */
  readonly pid: number;
  /** Both of the `traceparent` that came with it. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** An effect that was really had: once per idempotency key. */
export interface EffectRow extends EffectCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Calls that came again under the same key and did nothing. */
  repeats: number;
}

/** A call as it came and ended. */
export interface SinkCall extends EffectCall {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Whether another call of the same key was under way. */
  readonly overlaps: boolean;
  /** When the answer was out or the caller had gone; undefined while neither. */
  endedAt?: number;
}

/** The sink's list of effects by idempotency key, written to a file as it grows. */
export class EffectLedger {
  readonly #rows = new Map<string, EffectRow>();
  readonly #underWay = new Map<string, number>();
  readonly #file: WriteStream;

  /** @param path file to which a line is added for each effect and each repeated call */
  constructor(path: string) {
    this.#file = createWriteStream(path, { flags: 'a' });
  }

  /** A call has come. Returns whether another one of its key is under way. */
  begin({ idempotencyKey }: EffectCall): boolean {
    const others = this.#underWay.get(idempotencyKey) ?? 0;
    this.#underWay.set(idempotencyKey, others + 1);
    return others > 0;
  }

  /** Has the effect, unless it was had before. */
  record(call: EffectCall): void {
    const known = this.#rows.get(call.idempotencyKey);
    if (known) known.repeats += 1;
    else this.#rows.set(call.idempotencyKey, { ...call, at: Date.now(), repeats: 0 });
    this.#file.write(`${JSON.stringify({ at: Date.now(), repeated: known !== undefined, ...call })}\n`);
  }

  /** The call has been answered, or its caller has gone. */
  end({ idempotencyKey }: EffectCall): void {
    const left = (this.#underWay.get(idempotencyKey) ?? 1) - 1;
    if (left === 0) this.#underWay.delete(idempotencyKey);
    else this.#underWay.set(idempotencyKey, left);
  }

  /** Effects in the order in which they were had. */
  rows(): EffectRow[] {
    return [...this.#rows.values()];
  }

  /** How many effects there are. */
  get size(): number {
    return this.#rows.size;
  }

  /** Forgets the effects so far; the file keeps them. */
  forget(): void {
    this.#rows.clear();
  }

  /** Resolves when all lines are written. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(() => resolve()));
  }
}
