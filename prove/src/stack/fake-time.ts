import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const LIBRARY = 'faketime/libfaketimeMT.so.1';
/** How long a process may go on with what it has read before. */
const NOTICED_AFTER_S = 1;

/** The file of libfaketime, which programs are given a wrong clock by; undefined where it is not installed. */
export function fakeTimeLibrary(): string | undefined {
  const folders = ['/usr/local/lib', '/usr/lib64', '/usr/lib'];
  // Debian has a folder for each kind of machine.
  for (const name of existsSync('/usr/lib') ? readdirSync('/usr/lib') : []) {
    if (/-linux-/.test(name)) folders.push(join('/usr/lib', name));
  }
  return folders.map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path));
}

/**
 * The wall clock of some processes, set live by libfaketime; their monotonic clock, and with it their timers, goes on. Not
 * for redis-server, whose allocator does not start under it.
 */
export class FakeTime {
  /** Settings of a process that has this clock. */
  readonly env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #file: string;

  /** @param library see {@link fakeTimeLibrary} */
  constructor(library: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'coordinator-clock-'));
    this.#file = join(this.#folder, 'offset');
    this.set(0);
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_CACHE_DURATION: String(NOTICED_AFTER_S),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets it off by so much, from within a second on. */
  set(offsetMs: number): void {
    const seconds = offsetMs / 1_000;
    writeFileSync(this.#file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  }

  /** Removes its files, and those that the library leaves of killed processes. */
  remove(pids: readonly number[]): void {
    rmSync(this.#folder, { recursive: true, force: true });
    for (const pid of pids) {
      for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
        rmSync(join('/dev/shm', name), { force: true });
    }
  }
}
