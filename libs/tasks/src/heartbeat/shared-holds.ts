import type { Hold } from '../queue-backend.ts';

const VERSION = 0;
const LENGTH = 1;
const TEXT_AT = 8;
/** Far above the queue name, the ids and the quotes of one hold. */
const HOLD_BYTES = 512;
const ROOM_FOR_CLAIMS = 4_096;

/**
 * What a process runs, in memory that its heartbeat thread reads: a message per claim would cost more CPU time than the
 * claim, and one that waits to be sent would not leave a blocked event loop. The event loop alone writes.
 */
export class SharedHolds {
  readonly buffer: SharedArrayBuffer;
  /** The version is odd while all is written anew; the text is one JSON array per line, `[queue, jobId, token]`. */
  readonly #header: Int32Array;
  readonly #text: Buffer;

  /** Takes the buffer of another SharedHolds, or how many attempts may run at once. */
  constructor(bufferOrSlots: SharedArrayBuffer | number) {
    this.buffer =
      typeof bufferOrSlots === 'number'
        ? new SharedArrayBuffer(TEXT_AT + (bufferOrSlots + ROOM_FOR_CLAIMS) * HOLD_BYTES)
        : bufferOrSlots;
    this.#header = new Int32Array(this.buffer, 0, 2);
    this.#text = Buffer.from(this.buffer, TEXT_AT);
  }

  /** Adds what was claimed; false when there is no room left: then write all anew. */
  add(queue: string, claimed: readonly Hold[]): boolean {
    const from = Atomics.load(this.#header, LENGTH);
    const text = claimed.map(({ jobId, token }) => `${JSON.stringify([queue, jobId, token])}\n`).join('');
    if (from + Buffer.byteLength(text) > this.#text.length) return false;
    Atomics.store(this.#header, LENGTH, from + this.#text.write(text, from));
    return true;
  }

  /** Writes all anew. @throws RangeError when they are more than there is room for */
  replace(holds: ReadonlyMap<string, readonly Hold[]>): void {
    Atomics.add(this.#header, VERSION, 1);
    Atomics.store(this.#header, LENGTH, 0);
    const fits = Array.from(holds, ([queue, held]) => this.add(queue, held)).every(Boolean);
    Atomics.add(this.#header, VERSION, 1);
    if (!fits)
      throw new RangeError('The attempts that run do not fit into the memory shared with the heartbeat thread');
  }

  /** All of them, by queue; `undefined` in the moment in which all is written anew. */
  read(): ReadonlyMap<string, readonly Hold[]> | undefined {
    const version = Atomics.load(this.#header, VERSION);
    const text = this.#text.toString('utf8', 0, Atomics.load(this.#header, LENGTH));
    // Adding nothing, unlike a load, lets no processor put off reading the text until after it.
    if (version % 2 !== 0 || version !== Atomics.add(this.#header, VERSION, 0)) return undefined;
    const holds = new Map<string, Hold[]>();
    for (const line of text.split('\n').slice(0, -1)) {
      const [queue, jobId, token] = JSON.parse(line) as [string, string, string];
      const held = holds.get(queue);
      if (held) held.push({ jobId, token });
      else holds.set(queue, [{ jobId, token }]);
    }
    return holds;
  }
}
