// Loaded into a process with --require: writes down when its event loop stood still, a line of JSON each in LOOP_PROBE_FILE.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { LoopWatch } from './loop-watch.ts';

const file = process.env.LOOP_PROBE_FILE ?? '/dev/null';
appendFileSync(file, '');
// What is loaded into a process is loaded into its threads, too.
if (isMainThread) new LoopWatch((still) => appendFileSync(file, `${JSON.stringify(still)}\n`));
