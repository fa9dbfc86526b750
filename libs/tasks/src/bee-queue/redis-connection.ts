import type { Logger } from '@coordinator/logging';
import { createClient, ErrorReply } from 'redis';
import { CoordinatorError } from '../error-codes.ts';
import type { Script } from './scripts.ts';

/** Settings of a RedisConnection. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`. */
  readonly url: string;
  readonly log: Logger;
  /** A command without an answer by then fails, outcome unknown. Default 800, so that a 503 is out within 1.2 s. */
  readonly commandDeadlineMs?: number;
}

const RECONNECT_MS = 250;
/** A connection that is silent for this long although it is pinged is taken for dead. */
const SILENCE_MS = 5_000;

/**
 * The connection over which all commands but the blocking pop go. It has no offline queue: while Redis is away every
 * command fails at once, and the caller says so instead of hanging.
 */
export class RedisConnection {
  readonly #client;
  readonly #deadlineMs: number;
  readonly #log: Logger;
  #reachable = true;

  constructor({ url, log, commandDeadlineMs = 800 }: RedisConnectionOptions) {
    this.#deadlineMs = commandDeadlineMs;
    this.#log = log;
    this.#client = createClient({
      url,
      RESP: 2,
      disableOfflineQueue: true,
      // Our own deadline below costs less than the client's, an AbortSignal per command.
      commandOptions: { timeout: undefined },
      pingInterval: SILENCE_MS / 2,
      socket: {
        connectTimeout: 2_000,
        socketTimeout: SILENCE_MS,
        reconnectStrategy: () => RECONNECT_MS * (0.5 + Math.random()),
      },
    });
    this.#client.on('error', (error: unknown) => this.#lost(error));
    this.#client.on('ready', () => this.#found());
  }

  /** Starts connecting and goes on trying until close(); resolves when first connected. */
  async connect(): Promise<void> {
    await this.#client.connect();
  }

  /** Runs one script. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async run(script: Script, root: string, args: string[]): Promise<unknown> {
    const options = { keys: [root], arguments: args };
    try {
      return await this.#withDeadline(this.#client.evalSha(script.sha1, options));
    } catch (error) {
      // Redis forgets scripts when it restarts or fails over.
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw unavailable(error);
    }
    try {
      return await this.#withDeadline(this.#client.eval(script.text, options));
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Runs one plain command. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async command(...args: string[]): Promise<unknown> {
    try {
      return await this.#withDeadline(this.#client.sendCommand(args));
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Ends the connection; commands in flight fail. */
  close(): void {
    if (this.#client.isOpen) this.#client.destroy();
  }

  #withDeadline<T>(reply: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${this.#deadlineMs} ms`)), this.#deadlineMs);
      reply.then(
        (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        (error: Error) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }

  #lost(error: unknown): void {
    if (this.#reachable) this.#log.warn({ err: error }, 'Redis is not reachable, reconnecting');
    this.#reachable = false;
  }

  #found(): void {
    if (!this.#reachable) this.#log.info('Redis is reachable again');
    this.#reachable = true;
  }
}

/** Replies with which Redis refuses a write that it has not done. */
const REFUSALS = /^(OOM|READONLY|LOADING|MISCONF|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|NOAUTH|WRONGPASS|NOPERM)\b/;

function unavailable(error: unknown): unknown {
  const refused =
    error instanceof ErrorReply
      ? REFUSALS.test(error.message)
      : error instanceof Error && ['ClientOfflineError', 'ClientClosedError'].includes(error.constructor.name);
  if (error instanceof ErrorReply && !refused) return error;
  const message = refused
    ? 'The queue cannot be written now; nothing was stored'
    : 'The queue did not answer in time; the job may be stored: repeat the call with the same idempotency key';
  return new CoordinatorError('COORD_QUEUE_UNAVAILABLE', message, { cause: error });
}
