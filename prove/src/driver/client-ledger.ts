import { open, type FileHandle } from 'node:fs/promises';

/** What the sender of one request knows of it. */
export interface ClientEntry {
  /** Its Idempotency-Key, and the note in its payload. */
  readonly key: string;
  /** Ids of the jobs that were answered with 202; more than one breaks a promise. */
  readonly jobIds: Set<string>;
  /** Answers, or ends without one, that leave open whether a job was stored. */
  unknown: number;
  /** Answers that say that nothing was stored. */
  refused: number;
}

/**
 * The books of those who send: a 202 counts once its line is on disk, so that nothing in this process can make an
 * accepted job be forgotten. Lines that come together share one fsync.
 */
export class ClientLedger {
  readonly #entries = new Map<string, ClientEntry>();
  readonly #file: FileHandle;
  #lines: string[] = [];
  #written: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens it. @param path file to which a line is added for each 202 */
  static async open(path: string): Promise<ClientLedger> {
    return new ClientLedger(await open(path, 'a'));
  }

  /** What is known of each key that was sent. */
  get entries(): readonly ClientEntry[] {
    return [...this.#entries.values()];
  }

  /** How many keys have been acknowledged. */
  get acked(): number {
    let acked = 0;
    for (const { jobIds } of this.#entries.values()) if (jobIds.size > 0) acked += 1;
    return acked;
  }

  /** Ids of all acknowledged jobs. */
  get jobIds(): string[] {
    return this.entries.flatMap(({ jobIds }) => [...jobIds]);
  }

  /** The request was answered 202; resolves when that is on disk, and counts from then on. */
  async ack(key: string, jobId: string): Promise<void> {
    this.#lines.push(`${key} ${jobId}\n`);
    this.#written ??= this.#write();
    await this.#written;
    this.#entry(key).jobIds.add(jobId);
  }

  /** Nobody knows whether a job was stored. */
  unknown(key: string): void {
    this.#entry(key).unknown += 1;
  }

  /** The answer says that nothing was stored. */
  refuse(key: string): void {
    this.#entry(key).refused += 1;
  }

  /** Forgets what it knows; what is on disk stays. */
  forget(): void {
    this.#entries.clear();
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    // Those of this turn of the event loop come along.
    await new Promise((wake) => setImmediate(wake));
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#written = undefined;
    await this.#file.appendFile(lines);
    await this.#file.datasync();
  }

  #entry(key: string): ClientEntry {
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, (entry = { key, jobIds: new Set(), unknown: 0, refused: 0 }));
    return entry;
  }
}
