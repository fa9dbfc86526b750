import type { Logger } from '@coordinator/logging';
import { setImmediate as nextLoop, setTimeout as delay } from 'node:timers/promises';
import { createClient, ErrorReply } from 'redis';
import type { ConnectionOptions } from 'node:tls';
import { CoordinatorError, isUnavailable } from '../error-codes.ts';
import { connectionAdvice } from './connection-advice.ts';
import { redisTls, type RedisTlsFiles } from './redis-tls.ts';
import type { Script } from './scripts.ts';

/** Settings of a RedisConnection. */
export interface RedisConnectionOptions {
  /** `redis://`, or `rediss://` for TLS. */
  readonly url: string;
  /** For `rediss://`. Default: no certificate is shown, and the server's is of an authority that Node trusts. */
  readonly tls?: RedisTlsFiles | undefined;
  readonly log: Logger;
  /** A command without an answer by then fails, outcome unknown. Default 800, so that a 503 is out within 1.2 s. */
  readonly commandDeadlineMs?: number;
  /** Replicas that have to have what {@link RedisConnection.confirmed} writes. Default 0. */
  readonly waitReplicas?: number;
}

/** Runs one script. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
export type RunScript = (script: Script, root: string, args: string[]) => Promise<unknown>;

/** A Redis that is not admitted yet. */
export interface UnadmittedRedis {
  readonly run: RunScript;
  /** Runs one plain command. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  readonly command: (...args: string[]) => Promise<unknown>;
}

const RECONNECT_MS = 250;
/** A connection on which nothing was answered for this long is taken for dead. */
const SILENCE_MS = 5_000;

/**
 * The connection over which all commands but the blocking pop go. It has no offline queue: while Redis is away every
 * command fails at once, and the caller says so instead of hanging.
 */
export class RedisConnection {
  /** Whether it says who it is. */
  readonly authenticated: boolean;
  readonly #url: string;
  readonly #tls: ConnectionOptions | undefined;
  readonly #deadlineMs: number;
  readonly #log: Logger;
  readonly #waitReplicas: number;
  #client: Client;
  /** Raised whenever there is a new connection: what one has written another one cannot ask about. */
  #connections = 0;
  #confirmation: Promise<unknown> | undefined;
  #wanted = false;
  #reachable = true;
  #advice: string | undefined;
  /** False until what Redis holds was found to be something to work on. */
  #admitted = true;
  /** When the first of the commands was sent that have had no answer since; undefined after any answer. */
  #silentSince: number | undefined;

  /** @throws Error when a file of `tls` cannot be read */
  constructor({ url, tls, log, commandDeadlineMs = 800, waitReplicas = 0 }: RedisConnectionOptions) {
    this.#url = url;
    this.#tls = redisTls(url, tls, log);
    this.authenticated = new URL(url).password !== '';
    this.#waitReplicas = waitReplicas;
    this.#deadlineMs = commandDeadlineMs;
    this.#log = log;
    this.#client = this.#newClient();
  }

  /** What to do about it when there is no connection, for a person; undefined when Redis is just not there. */
  get advice(): string | undefined {
    return this.#advice;
  }

  /**
   * Starts connecting and goes on trying until close(); resolves when first connected and admitted. Until then every
   * command fails as while Redis is away.
   *
   * @param admission looks at what Redis is and holds. Default: it may be anything
   * @throws what `admission` throws
   */
  async connect(admission?: (redis: UnadmittedRedis) => Promise<void>): Promise<void> {
    this.#wanted = true;
    this.#admitted = admission === undefined;
    await this.#client.connect();
    while (admission && !this.#admitted) {
      try {
        await admission({
          run: (script, root, args) => this.#evaluate(script, root, args),
          command: (...args) => this.#send(args),
        });
        this.#admitted = true;
      } catch (error) {
        // Gone again between connecting and asking.
        if (!isUnavailable(error) || !this.#wanted) throw error;
        await delay(RECONNECT_MS);
      }
    }
  }

  /** Runs one script. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async run(script: Script, root: string, args: string[]): Promise<unknown> {
    this.#refuseUnadmitted();
    return this.#evaluate(script, root, args);
  }

  async #evaluate(script: Script, root: string, args: string[]): Promise<unknown> {
    const options = { keys: [root], arguments: args };
    const startedAt = performance.now();
    try {
      return await this.#withDeadline(this.#client.evalSha(script.sha1, options), this.#deadlineMs);
    } catch (error) {
      // Redis forgets scripts when it restarts or fails over.
      if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw unavailable(error);
    }
    const leftMs = this.#deadlineMs - (performance.now() - startedAt);
    try {
      return await this.#withDeadline(this.#client.eval(script.text, options), leftMs);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Runs one plain command. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async command(...args: string[]): Promise<unknown> {
    this.#refuseUnadmitted();
    return this.#send(args);
  }

  async #send(args: string[]): Promise<unknown> {
    try {
      return await this.#withDeadline(this.#client.sendCommand(args), this.#deadlineMs);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /**
   * Resolves with what `write` does once as many replicas as `waitReplicas` says have it, too: a failover to one of them
   * does not lose it.
   *
   * @throws CoordinatorError COORD_QUEUE_UNAVAILABLE, and it may be stored, when they do not confirm it in time
   */
  async confirmed<T>(write: () => Promise<T>): Promise<T> {
    if (this.#waitReplicas === 0) return write();
    const connection = this.#connections;
    const deadlineAt = performance.now() + this.#deadlineMs;
    const written = await write();
    try {
      const replicas = await this.#withDeadline(this.#confirm(), deadlineAt - performance.now());
      // On a connection that was made meanwhile the question was about nothing, and perhaps put to another server.
      if (connection !== this.#connections) throw new Error('the connection was lost before replicas had confirmed');
      if (Number(replicas) < this.#waitReplicas) throw new Error(`${Number(replicas)} replicas have confirmed`);
    } catch (error) {
      throw new CoordinatorError(
        'COORD_QUEUE_UNAVAILABLE',
        'Not enough replicas have confirmed the job; it may be stored: repeat the call with the same idempotency key',
        { cause: error },
      );
    }
    return written;
  }

  /** Ends the connection; commands in flight fail. */
  close(): void {
    this.#wanted = false;
    if (this.#client.isOpen) this.#client.destroy();
  }

  #refuseUnadmitted(): void {
    if (this.#admitted) return;
    throw new CoordinatorError('COORD_QUEUE_UNAVAILABLE', 'The queue is not checked yet; nothing was stored');
  }

  /** Asks how many replicas have all that was written; those who were answered in the same turn of the event loop share it. */
  #confirm(): Promise<unknown> {
    const ask = async () => {
      await nextLoop();
      this.#confirmation = undefined;
      // Redis serves nothing else on this connection until then.
      const longestMs = String(Math.floor(this.#deadlineMs / 2));
      return this.#client.sendCommand(['WAIT', String(this.#waitReplicas), longestMs]);
    };
    return (this.#confirmation ??= ask());
  }

  #withDeadline<T>(reply: Promise<T>, deadlineMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      const timer = setTimeout(() => {
        const error = new Error(`no answer within ${Math.round(deadlineMs)} ms`);
        reject(error);
        this.#silentSince ??= sentAt;
        if (performance.now() - this.#silentSince >= SILENCE_MS) this.#replaceClient(error);
      }, deadlineMs);
      reply.then(
        (value) => {
          this.#silentSince = undefined;
          clearTimeout(timer);
          resolve(value);
        },
        (error: Error) => {
          clearTimeout(timer);
          if (error instanceof ErrorReply) this.#silentSince = undefined;
          // A demoted master keeps its connections; the new one is found by connecting anew.
          if (error instanceof ErrorReply && error.message.startsWith('READONLY')) this.#replaceClient(error);
          reject(error);
        },
      );
    });
  }

  #newClient(): Client {
    const client = createCommandClient(this.#url, this.#tls);
    client.on('error', (error: unknown) => this.#lost(error));
    client.on('ready', () => this.#connected(client));
    return client;
  }

  /**
   * Connects anew although the socket looks alive: the client takes every write for a sign of life, so a connection that
   * swallows what is sent would never be given up.
   */
  #replaceClient(error: unknown): void {
    if (!this.#wanted || !this.#client.isReady) return;
    this.#lost(error);
    this.#client.destroy();
    this.#client = this.#newClient();
    // It goes on trying; what goes wrong is told by its events.
    this.#client.connect().catch(() => undefined);
  }

  #lost(error: unknown): void {
    const advice = connectionAdvice(error, !this.#reachable);
    if (this.#reachable || (advice !== undefined && advice !== this.#advice)) {
      this.#log.warn({ err: error, advice }, 'Redis is not reachable, reconnecting');
    }
    this.#reachable = false;
    this.#advice = advice ?? this.#advice;
  }

  #connected(client: Client): void {
    this.#silentSince = undefined;
    this.#connections += 1;
    if (this.#reachable) return;
    // Only an answer shows it: with TLS 1.3 a server refuses our certificate after it has let us in.
    client.ping().then(
      () => {
        this.#log.info('Redis is reachable again');
        this.#reachable = true;
        this.#advice = undefined;
      },
      () => undefined,
    );
  }
}

type Client = ReturnType<typeof createCommandClient>;

function createCommandClient(url: string, tls: ConnectionOptions | undefined) {
  return createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    // What it tells Redis of itself is a command that a user would have to be allowed.
    disableClientInfo: true,
    // Our own deadline costs less than the client's, an AbortSignal per command.
    commandOptions: { timeout: undefined },
    pingInterval: SILENCE_MS / 2,
    socket: {
      ...(tls && { tls: true as const, ...tls }),
      connectTimeout: 2_000,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: () => RECONNECT_MS * (0.5 + Math.random()),
    },
  });
}

/** Replies with which Redis refuses a write that it has not done. */
const REFUSALS = /^(OOM|READONLY|LOADING|MISCONF|BUSY|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|NOAUTH|WRONGPASS|NOPERM)\b/;

function unavailable(error: unknown): unknown {
  // What was to be sent is none; nothing went out, and nothing would the next time.
  if (error instanceof TypeError || error instanceof RangeError) return error;
  const refused =
    error instanceof ErrorReply
      ? REFUSALS.test(error.message)
      : error instanceof Error && ['ClientOfflineError', 'ClientClosedError'].includes(error.constructor.name);
  if (error instanceof ErrorReply && !refused) return error;
  if (error instanceof ErrorReply && error.message.startsWith('OOM')) {
    return new CoordinatorError('COORD_QUEUE_FULL', 'Redis is full; nothing was stored', { cause: error });
  }
  const message = refused
    ? 'The queue cannot be written now; nothing was stored'
    : 'The queue did not answer in time; the job may be stored: repeat the call with the same idempotency key';
  return new CoordinatorError('COORD_QUEUE_UNAVAILABLE', message, { cause: error });
}
