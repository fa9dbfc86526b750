// Loaded into a process with --require: tells every PROBE_EVERY_MS what the process holds, a line of JSON in a file of its
// own in PROBE_DIR.
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import type { ProcessSample } from './process-samples.ts';

const MIB = 2 ** 20;
const OF_THE_READING = 1;

// What is loaded into a process is loaded into its threads, too.
if (isMainThread) {
  setFlagsFromString('--expose_gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const file = join(process.env.PROBE_DIR ?? '', `${process.pid}.jsonl`);
  const tell = () => {
    const lagMs = delay.percentile(99) / 1e6;
    collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    const sample: ProcessSample = {
      at: Date.now(),
      rssMiB: rss / MIB,
      heapMiB: (heapUsed + external) / MIB,
      handles: process.getActiveResourcesInfo().length,
      fds: openFiles(),
      lagMs,
    };
    appendFileSync(file, `${JSON.stringify(sample)}\n`);
    // What took that long was this.
    delay.reset();
  };
  setInterval(tell, Number(process.env.PROBE_EVERY_MS)).unref();
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length - OF_THE_READING;
  } catch {
    // Only Linux tells.
    return 0;
  }
}
