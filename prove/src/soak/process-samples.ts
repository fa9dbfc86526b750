import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** What a process held at one moment. */
export interface ProcessSample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rssMiB: number;
  /** On the heap and beside it, right after a collection of garbage. */
  readonly heapMiB: number;
  /** Sockets, timers and whatever else keeps a process alive. */
  readonly handles: number;
  readonly fds: number;
  /** How late its event loop was, p99 since the sample before. */
  readonly lagMs: number;
}

/** Settings that have a process write samples into a folder. */
export function probing(dir: string, everyMs: number): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: `--require ${join(__dirname, 'process-probe.js')}`,
    PROBE_DIR: dir,
    PROBE_EVERY_MS: String(everyMs),
  };
}

/** The samples in a folder by process id, oldest first. */
export async function readSamples(dir: string): Promise<Map<number, ProcessSample[]>> {
  const samples = new Map<number, ProcessSample[]>();
  for (const name of await readdir(dir)) {
    const lines = (await readFile(join(dir, name), 'utf8')).trim().split('\n');
    samples.set(
      Number(basename(name, '.jsonl')),
      lines.map((line) => JSON.parse(line) as ProcessSample),
    );
  }
  return samples;
}
