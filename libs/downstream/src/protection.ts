import { servesRetry, Snooze, type CoordinatorErrorCode } from '@coordinator/tasks';
import { countRefusedCall } from '@coordinator/tracing';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalBreaker } from './local-breaker.ts';
import { LEAST_PAUSE_MS, type ProtectionPolicy } from './protection-policy.ts';
import type { CallAnswer, CallOutcome, CallRequest, RefusalReason } from './redis-downstreams.ts';
import { processDownstreams } from './share-downstreams.ts';

/** What a Protection guards. */
export interface ProtectionSettings extends ProtectionPolicy {
  readonly name: string;
  readonly totalTimeoutMs: number;
}

/**
 * The right to make one call. Say once how it ended, at once: others wait for it. `pauseMs`: see {@link pauseOf}; default
 * none was asked for.
 */
export type Permit = (outcome: CallOutcome, pauseMs?: number) => void;

/** Within this a call waits for its turn; a longer wait is the job's, so that it holds no worker. */
const PATIENCE_MS = 1_000;
/** A permit outlives its call, whose end is bounded, by this at least. */
const LEASE_MARGIN_MS = 1_000;

const CODES: Partial<Record<RefusalReason, CoordinatorErrorCode>> = {
  open: 'COORD_DOWNSTREAM_OPEN',
  paused: 'COORD_DOWNSTREAM_RATE_LIMITED',
};
const WHY: Record<RefusalReason, string> = {
  open: 'it is failing, and its circuit breaker is open',
  paused: 'it asked for a pause',
  full: 'all connections to it are in use',
  concurrency: 'as many calls as it may take are in flight',
  rate: 'as many calls as it may take per second are being made',
  'retry-budget': 'there are too many retries',
};

/** Decides whether calls to a downstream may be made now: with all workers, or alone while Redis is away. */
export class Protection {
  readonly #settings: ProtectionSettings;
  readonly #local: LocalBreaker;
  /** Until when the downstream asked to be left alone, as far as this process has heard; by performance.now(). */
  #pausedUntilMs = 0;
  /** Told with the next call, so that a call that went well costs no word of its own. */
  #successes = 0;

  constructor(settings: ProtectionSettings) {
    this.#settings = settings;
    this.#local = new LocalBreaker(settings.breaker);
  }

  /**
   * Asks for the right to make a call.
   *
   * @throws Snooze, which spends no attempt, when the call may not be made now; AbortError when the signal is aborted
   */
  async acquire(signal: AbortSignal, isToken: boolean): Promise<Permit> {
    const permit = randomUUID();
    // A token serves whoever asks next; it is nobody's retry.
    const retry = !isToken && servesRetry();
    const giveUpAtMs = performance.now() + PATIENCE_MS;
    for (let reserved = false; ;) {
      const patienceMs = Math.max(0, Math.round(giveUpAtMs - performance.now()));
      const answer = await this.#ask({ permit, retry, patienceMs, reserved, full: false });
      if (!answer) return this.#acquireAlone();
      if (answer.kind === 'refused') {
        if (answer.reason === 'paused') this.#pause(answer.waitMs);
        throw this.#refusal(answer.reason, answer.waitMs);
      }
      if (answer.kind === 'granted') {
        const held = answer.probe || this.#settings.maxConcurrent !== undefined;
        return (outcome, pauseMs) => this.#end(permit, held, outcome, pauseMs);
      }
      reserved = answer.reserved;
      await delay(answer.waitMs, undefined, { signal });
    }
  }

  /** What to throw when no connection is free. */
  async full(): Promise<Snooze> {
    const answer = await this.#ask({ permit: '', retry: false, patienceMs: 0, reserved: false, full: true });
    if (answer?.kind === 'refused') return this.#refusal(answer.reason, answer.waitMs);
    return this.#refusal('full', PATIENCE_MS * (1 + 4 * Math.random()));
  }

  get #leaseMs(): number {
    return this.#settings.totalTimeoutMs + LEASE_MARGIN_MS;
  }

  async #ask(call: Omit<CallRequest, 'leaseMs' | 'successes'>): Promise<CallAnswer | undefined> {
    const successes = this.#takeSuccesses();
    const asked = { ...call, leaseMs: this.#leaseMs, successes };
    const answer = await processDownstreams().redis?.acquire(this.#settings.name, asked, this.#settings);
    if (!answer) this.#successes += successes;
    return answer;
  }

  #acquireAlone(): Permit {
    // Outside of workers nobody protects: tests of handlers play days of an outage in a moment.
    if (!processDownstreams().redis) return (outcome) => this.#note(outcome);
    const pausedMs = this.#pausedUntilMs - performance.now();
    if (pausedMs > 0) throw this.#refusal('paused', pausedMs);
    const openMs = this.#local.openForMs();
    if (openMs > 0) throw this.#refusal('open', openMs * (1 + Math.random()));
    return (outcome, pauseMs) => {
      this.#note(outcome);
      this.#pause(pauseMs);
    };
  }

  #pause(forMs: number | undefined): void {
    if (forMs === undefined) return;
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, performance.now() + Math.max(forMs, LEAST_PAUSE_MS));
  }

  #end(permit: string, held: boolean, outcome: CallOutcome, pauseMs: number | undefined): void {
    this.#note(outcome);
    this.#pause(pauseMs);
    if (!held && outcome !== 'failure' && pauseMs === undefined) {
      if (outcome === 'success') this.#successes++;
      return;
    }
    const successes = this.#takeSuccesses();
    // Not waited for: the connection keeps the order, so Redis knows of it before it knows what became of the job.
    void processDownstreams()
      .redis?.report(
        this.#settings.name,
        { permit, successes, leaseMs: this.#leaseMs },
        outcome,
        pauseMs,
        this.#settings,
      )
      .then((told) => void (told || (this.#successes += successes)));
  }

  /** For the time when Redis is away. */
  #note(outcome: CallOutcome): void {
    if (outcome === 'success') this.#local.succeeded();
    if (outcome === 'failure') this.#local.failed();
  }

  #takeSuccesses(): number {
    const successes = this.#successes;
    this.#successes = 0;
    return successes;
  }

  #refusal(reason: RefusalReason, waitMs: number): Snooze {
    const { name } = this.#settings;
    countRefusedCall({ downstream: name, reason });
    return new Snooze(waitMs, `${name}: no call was made: ${WHY[reason]}`, CODES[reason] ?? 'COORD_DOWNSTREAM_BUSY');
  }
}
