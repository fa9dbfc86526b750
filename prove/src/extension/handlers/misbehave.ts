import { permanent, type PayloadOf, type TaskContext } from '@coordinator/extension';
import type { misbehave as task } from '../tasks.ts';

const FOR_EVER_MS = 3_600_000;
const MOST_MEBIBYTES = 1_024;

/** Does what the payload says. */
export async function misbehave({ how, forMs = 10_000 }: PayloadOf<typeof task>, { attempt }: TaskContext) {
  switch (how) {
    case 'exit':
      return process.exit(3);
    case 'segfault':
      process.kill(process.pid, 'SIGSEGV');
      return new Promise<void>(() => undefined);
    case 'out-of-memory': {
      // Outside of the heap, which V8 limits. It ends, and the job with it, where nobody limits the memory either.
      const kept = Array.from({ length: MOST_MEBIBYTES }, () => Buffer.alloc(2 ** 20, 1));
      return void kept.length;
    }
    case 'out-of-heap': {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 1_000_000 }, (_, i) => ({ i })));
    }
    case 'spin':
      // The first attempt only: what is to be seen is whether a second one runs beside it.
      for (const end = performance.now() + (attempt === 1 ? forMs : 0); performance.now() < end;);
      return;
    case 'hang':
      // A timer and not a promise alone, as a library that waits for a socket would have.
      return new Promise<void>((resolve) => setTimeout(resolve, FOR_EVER_MS).unref());
    case 'throw-bigint':
      throw 10n as unknown;
    case 'throw-circular': {
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      throw circle as unknown;
    }
    case 'throw-undefined':
      throw undefined as unknown;
    case 'permanent':
      throw permanent('This payload can never be delivered');
  }
}
