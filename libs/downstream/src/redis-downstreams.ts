import type { Logger } from '@coordinator/logging';
import { DEFAULT_KEY_PREFIX, isUnavailable, loadScript, type RedisConnection, type Script } from '@coordinator/tasks';
import type { BreakerReading } from '@coordinator/tracing';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  FAILURE_SHARE,
  LEAST_PAUSE_MS,
  MOST_PAUSE_MS,
  RETRIES_PER_SECOND,
  RETRY_SHARE,
  WINDOW_MS,
  type ProtectionPolicy,
} from './protection-policy.ts';

/** A call that asks to be made. */
export interface CallRequest {
  readonly permit: string;
  /** The permit is lost when its holder says nothing for this long. */
  readonly leaseMs: number;
  /** Calls of this process that succeeded and have not been told yet. */
  readonly successes: number;
  readonly retry: boolean;
  /** No connection of this process is free: the call is refused, and told for how long. */
  readonly full: boolean;
  /** The longest it will wait to ask again. */
  readonly patienceMs: number;
  /** It was told before to ask again, and has its place in the rate. */
  readonly reserved: boolean;
}

/** Why a call may not be made now. */
export type RefusalReason = 'open' | 'paused' | 'full' | 'concurrency' | 'rate' | 'retry-budget';

/** What a call is answered. */
export type CallAnswer =
  | { readonly kind: 'granted'; readonly probe: boolean }
  | { readonly kind: 'later'; readonly waitMs: number; readonly reserved: boolean }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly waitMs: number };

/** How a call ended, for its downstream: `neutral` says nothing about it. */
export type CallOutcome = 'success' | 'failure' | 'neutral';

/** How the state of downstreams is shared. */
export interface RedisDownstreamsOptions {
  readonly connection: RedisConnection;
  readonly log: Logger;
  /** As that of the RedisBackend. Default `{cc}`. */
  readonly keyPrefix?: string;
}

/** A call waits no longer than this for Redis, and then none asks for a second: they are made without asking. */
const ANSWER_MS = 250;
const AWAY_MS = 1_000;
/** What Redis did not take is told again after this. */
const TELL_AGAIN_MS = 1_000;

// Beside src/ and dist/, so that the same relative path serves both.
const FOLDER = join(__dirname, '..', 'lua');
const scripts = {
  acquire: loadScript(FOLDER, 'acquire', ['downstream']),
  report: loadScript(FOLDER, 'report', ['downstream']),
  read: loadScript(FOLDER, 'read'),
} as const;

/** The state of downstreams in Redis, by its clock: one script before a call, and one after those that have news. */
export class RedisDownstreams {
  readonly #connection: RedisConnection;
  readonly #log: Logger;
  readonly #root: string;
  readonly #names = new Set<string>();
  #awayUntilMs = 0;
  #stopped = false;

  constructor({ connection, log, keyPrefix = DEFAULT_KEY_PREFIX }: RedisDownstreamsOptions) {
    this.#connection = connection;
    this.#log = log;
    this.#root = `${keyPrefix}:`;
  }

  /** Asks whether a call may be made. Undefined when Redis does not answer in time; what it grants later is given back. */
  async acquire(name: string, call: CallRequest, policy: ProtectionPolicy): Promise<CallAnswer | undefined> {
    this.#names.add(name);
    if (performance.now() < this.#awayUntilMs) return undefined;
    const { breaker, ratePerSecond, burst, maxConcurrent } = policy;
    const asked = this.#run(scripts.acquire, [
      name,
      String(WINDOW_MS),
      call.permit,
      String(call.leaseMs),
      String(call.successes),
      flag(call.retry),
      flag(call.full),
      String(call.patienceMs),
      flag(call.reserved),
      String(breaker.probes),
      String(ratePerSecond === undefined ? 0 : 1_000 / ratePerSecond),
      String(burst),
      String(maxConcurrent ?? 0),
      String(RETRY_SHARE),
      String(RETRIES_PER_SECOND),
    ]);
    const reply = (await inTime(asked)) as
      ['granted', 0 | 1] | ['later', number, 0 | 1] | ['refused', RefusalReason, number] | undefined | null;
    // What is damaged is this downstream's own: the others are asked as before.
    if (reply === null) return undefined;
    if (reply === undefined) {
      this.#awayUntilMs = performance.now() + AWAY_MS;
      // The connection keeps the order: it is heard after the question, should that still be on its way.
      if (call.permit) void this.report(name, { ...call, successes: 0 }, 'neutral', undefined, policy);
      return undefined;
    }
    switch (reply[0]) {
      case 'granted':
        return { kind: 'granted', probe: reply[1] === 1 };
      case 'later':
        return { kind: 'later', waitMs: reply[1], reserved: reply[2] === 1 };
      case 'refused':
        return { kind: 'refused', reason: reply[1], waitMs: reply[2] };
    }
  }

  /**
   * Tells how a call ended, however slow Redis is, and again while it is away, until the place of the call is lost anyway:
   * so there is never more to tell than what was asked within that time. One whose answer was lost may count twice,
   * which at worst opens a breaker early.
   *
   * @param pauseMs how long the downstream asked to be left alone, 0 when it named no time;
   *   undefined when it did not ask
   * @returns whether Redis has it
   */
  async report(
    name: string,
    call: Pick<CallRequest, 'permit' | 'successes' | 'leaseMs'>,
    outcome: CallOutcome,
    pauseMs: number | undefined,
    { breaker }: ProtectionPolicy,
  ): Promise<boolean> {
    const lostAtMs = performance.now() + call.leaseMs;
    const args = [
      name,
      String(WINDOW_MS),
      call.permit,
      outcome,
      String(call.successes),
      pauseMs === undefined ? '' : String(Math.round(pauseMs)),
      String(LEAST_PAUSE_MS),
      String(MOST_PAUSE_MS),
      String(breaker.failures),
      String(FAILURE_SHARE),
      String(breaker.openMs),
      String(breaker.maxOpenMs),
      // A quarter more or less, so that downstreams that fell together are not probed together.
      String(0.75 + 0.5 * Math.random()),
    ];
    let moved = await this.#run(scripts.report, args);
    while (moved === undefined && performance.now() + TELL_AGAIN_MS < lostAtMs && !this.#stopped) {
      await delay(TELL_AGAIN_MS, undefined, { ref: false });
      moved = await this.#run(scripts.report, args);
    }
    // The script tells one caller of each move: one line, however many jobs and workers.
    if (moved === 'opened')
      this.#log.warn({ downstream: name }, 'circuit breaker opened: the jobs of this downstream wait');
    if (moved === 'closed') this.#log.info({ downstream: name }, 'circuit breaker closed');
    return typeof moved === 'string';
  }

  /** Tells nothing again from now on. */
  stop(): void {
    this.#stopped = true;
  }

  /** The breakers of the downstreams that this process has called. @throws CoordinatorError COORD_QUEUE_UNAVAILABLE */
  async readBreakers(): Promise<BreakerReading[]> {
    const names = [...this.#names];
    if (names.length === 0) return [];
    const states = (await this.#connection.run(scripts.read, this.#root, names)) as BreakerReading['state'][];
    return names.map((downstream, i) => ({ downstream, state: states[i] as BreakerReading['state'] }));
  }

  /** Undefined when Redis is away, null when it cannot run the script. */
  #run(script: Script, args: string[]): Promise<unknown> {
    return this.#connection.run(script, this.#root, args).catch((error: unknown) => {
      // The connection tells that.
      if (isUnavailable(error)) return undefined;
      this.#log.error({ err: error, script: script.name, downstream: args[0] }, 'the state of a downstream is lost');
      return null;
    });
  }
}

/** Undefined when it takes longer than a call waits. */
async function inTime(reply: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS);
  });
  try {
    return await Promise.race([reply, late]);
  } finally {
    clearTimeout(timer);
  }
}

function flag(set: boolean): string {
  return set ? '1' : '0';
}
