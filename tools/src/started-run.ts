import type { RedisServer } from '@coordinator/task-testing';
import { exitCodeOf } from './exit-code.ts';
import type { Stack } from './stack.ts';

/** Terminal, npm and tools/run.mjs each pass one press of Ctrl-C on: what comes this soon is the same press. */
const SAME_PRESS_MS = 500;

/**
 * What `npm start` has started, and how it ends: the first SIGINT or SIGTERM drains and exits with 0, a second one ends
 * everything at once with 130, and a failure drains and exits with 1 (69 where there is no Redis).
 */
export class StartedRun {
  /** The Redis of our own; undefined until it runs, or when there is none. */
  redis: RedisServer | undefined;
  private coming: Promise<Stack | undefined> | undefined;
  private stack: Stack | undefined;
  private readonly abort = new AbortController();
  private readonly atEndOfAll: (() => void)[] = [];
  private endingSince: number | undefined;

  constructor(private readonly say: (text: string) => void) {
    const onSignal = () => this.onSignal();
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
    process.on('exit', () => this.atEndOfAll.forEach((work) => work()));
  }

  /** Whether the end has begun. */
  get ending(): boolean {
    return this.endingSince !== undefined;
  }

  /** Aborted when a start has to be given up at once. */
  get aborted(): AbortSignal {
    return this.abort.signal;
  }

  /** Does `work`, which must not wait for anything, when this process exits. */
  atEnd(work: () => void): void {
    this.atEndOfAll.push(work);
  }

  /** Takes over a Redis: it ends last, and its end is everybody's. */
  useRedis(redis: RedisServer): void {
    this.redis = redis;
    void redis.exited.then(({ code, signal }) => {
      const lines = redis.lines.slice(-10).join('\n');
      return this.fail(new Error(`Redis ended with ${signal ?? `code ${code}`}. Its last lines:\n${lines}`));
    });
  }

  /** Takes over a stack that is coming up. */
  async useStack(coming: Promise<Stack>): Promise<Stack> {
    this.coming = coming.catch(() => undefined);
    this.stack = await coming;
    return this.stack;
  }

  /** Says why, ends everything, and exits. Does nothing when the end has begun: what fails then fails because of it. */
  async fail(error: unknown): Promise<void> {
    if (this.ending) return;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    await this.end(exitCodeOf(error));
  }

  private onSignal(): void {
    if (this.endingSince === undefined) {
      this.say('Draining …');
      void this.end(0);
    } else if (performance.now() - this.endingSince > SAME_PRESS_MS) {
      this.say('Ending at once.');
      void this.endAtOnce();
    }
  }

  private async end(code: number): Promise<void> {
    this.endingSince = performance.now();
    if (this.stack === undefined) {
      // What is still coming up has taken no job yet, so there is nothing to drain.
      this.abort.abort();
      await this.coming;
    }
    await this.stack?.stop();
    await this.redis?.stop();
    process.exit(code);
  }

  private async endAtOnce(): Promise<void> {
    this.abort.abort();
    await this.stack?.kill();
    await this.redis?.kill('SIGTERM');
    process.exit(130);
  }
}
