const COUNTER_BYTES = 4;
const LENGTH_AT = COUNTER_BYTES;
const TEXT_AT = LENGTH_AT + 1;
const TEXT_BYTES = 250;

/** A job whose handler was begun. */
export interface StartedJob {
  readonly task: string;
  readonly jobId: string;
}

/** What the event loop and the thread that watches it share: a count that goes up, and what was begun last. */
export class Pulse {
  readonly buffer: SharedArrayBuffer;
  readonly #count: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #encoder = new TextEncoder();

  constructor(buffer = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES)) {
    this.buffer = buffer;
    this.#count = new Int32Array(buffer, 0, 1);
    this.#bytes = new Uint8Array(buffer);
  }

  /** The event loop turns. */
  beat(): void {
    Atomics.add(this.#count, 0, 1);
  }

  get beats(): number {
    return Atomics.load(this.#count, 0);
  }

  /** The job whose handler was begun last: where a loop stands still, most likely by it. */
  set lastStarted({ task, jobId }: StartedJob) {
    this.#bytes[LENGTH_AT] = this.#encoder.encodeInto(`${jobId} ${task}`, this.#bytes.subarray(TEXT_AT)).written;
  }

  get lastStarted(): StartedJob {
    const text = Buffer.from(this.#bytes.slice(TEXT_AT, TEXT_AT + (this.#bytes[LENGTH_AT] as number))).toString();
    const [jobId = '', task = ''] = text.split(' ');
    return { task, jobId };
  }
}
