import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { ClientLedger } from './client-ledger.ts';
import { LoopWatch } from '../stack/loop-watch.ts';
import type { SendAnswer, Sending } from './sending.ts';

/** What a driver needs. */
export interface DriverOptions {
  readonly apis: readonly string[];
  readonly ledger: ClientLedger;
  readonly token: string;
  /** When a sender gives up waiting. Default 5 000. */
  readonly patienceMs?: number;
}

/** How requests are driven. */
export interface DriveOptions {
  readonly ratePerSecond: number;
  /** Whether what was not acknowledged is sent again, to the next API, until it is. Default true. */
  readonly insist?: boolean;
  /** When insisting ends with an error. Default 120 000. */
  readonly withinMs?: number;
}

const PAUSE_MS = 300;
/** So that thousands that were refused do not come back as a storm. */
const LONGEST_PAUSE_MS = 5_000;

/** Sends requests at a rate, whatever becomes of them, and keeps the books of their answers. */
export class Driver {
  /** Every answer, in order of their ends. */
  readonly answers: SendAnswer[] = [];
  readonly #options: DriverOptions;
  readonly #pools: readonly Pool[];
  readonly #avoided = new Set<string>();
  readonly #loop = new LoopWatch();
  #next = 0;
  #closed = false;

  constructor(options: DriverOptions) {
    this.#options = options;
    // As many connections as there are requests under way: one that waited for a connection would be late by our doing, and
    // 100 of them serve 125 requests per second of an API that takes 0.8 s to say that Redis is silent.
    this.#pools = options.apis.map((origin) => new Pool(origin, { pipelining: 1 }));
  }

  /** Sends each at its time; resolves when all have ended. @throws Error when one is not acknowledged in time */
  drive(sendings: readonly Sending[], options: DriveOptions): Promise<void> {
    const driving = this.#drive(sendings, options);
    // A proof that throws while it is driving waits no longer.
    driving.catch(() => undefined);
    return driving;
  }

  /** Sends once, to the APIs in turns. */
  async send(sending: Sending, dueAt = Date.now()): Promise<SendAnswer> {
    const answer = await this.#try(sending, dueAt);
    this.answers.push(answer);
    const { ledger } = this.#options;
    if (answer.status === 202) await Promise.all(answer.jobIds.map((jobId) => ledger.ack(sending.key, jobId)));
    else if (answer.unknown) ledger.unknown(sending.key);
    else ledger.refuse(sending.key);
    return answer;
  }

  /** Forgets the answers so far. */
  forget(): void {
    this.answers.length = 0;
  }

  /** As a load balancer does that has seen an API become unready: sends it nothing more. */
  avoid(origin: string): void {
    this.#avoided.add(origin);
  }

  /** Sends to it again. */
  admit(origin: string): void {
    this.#avoided.delete(origin);
  }

  /** Sends nothing more; what is under way ends without an answer. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#loop.stop();
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #drive(sendings: readonly Sending[], options: DriveOptions): Promise<void> {
    const { ratePerSecond, insist = true, withinMs = 120_000 } = options;
    const startedAt = Date.now();
    const ends: Promise<void>[] = [];
    for (const [i, sending] of sendings.entries()) {
      if (this.#closed) break;
      const dueAt = startedAt + (i * 1_000) / ratePerSecond;
      const early = dueAt - Date.now();
      if (early > 1) await delay(early);
      ends.push(insist ? this.#insist(sending, dueAt, withinMs) : this.send(sending, dueAt).then(() => undefined));
    }
    await Promise.all(ends);
  }

  async #insist(sending: Sending, dueAt: number, withinMs: number): Promise<void> {
    const giveUpAt = Date.now() + withinMs;
    let pauseMs = PAUSE_MS;
    for (let due = dueAt; ; due = Date.now()) {
      const answer = await this.send(sending, due);
      if (answer.status === 202 || this.#closed) return;
      const hopeless = answer.status >= 400 && answer.status < 500 && answer.status !== 409 && answer.status !== 429;
      if (hopeless || Date.now() > giveUpAt) {
        throw new Error(`${sending.key} was not accepted: last answer ${answer.status} ${answer.code ?? ''}`);
      }
      await delay(pauseMs * (0.5 + Math.random()));
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }

  #choose(): { readonly api: string; readonly pool: Pool } {
    const { apis } = this.#options;
    for (let tries = 0; tries < apis.length; tries += 1) {
      const i = this.#next++ % apis.length;
      const api = apis[i] ?? '';
      if (!this.#avoided.has(api)) return { api, pool: this.#pools[i] as Pool };
    }
    throw new Error('The driver was told to avoid every API');
  }

  async #try({ key, body, path = '/v1/prove/jobs' }: Sending, dueAt: number): Promise<SendAnswer> {
    const { api, pool } = this.#choose();
    const { token, patienceMs = 5_000 } = this.#options;
    const unanswered = {
      key,
      api,
      dueAt,
      status: 0,
      retryAfter: undefined,
      jobIds: [],
      duplicate: false,
      code: undefined,
    };
    try {
      const {
        statusCode,
        headers,
        body: answer,
      } = await pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'idempotency-key': key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(patienceMs),
      });
      const told = (await answer.json()) as Told;
      return {
        key,
        api,
        dueAt,
        ...this.#end(dueAt),
        status: statusCode,
        retryAfter: headers['retry-after']?.toString(),
        // What a gateway in between may have seen of a 5xx is as open as what the API itself says is.
        unknown: statusCode >= 500 && !/nothing was stored/.test(told.detail ?? ''),
        jobIds: (told.jobs ?? []).map(({ jobId }) => jobId),
        duplicate: told.jobs?.some(({ duplicate }) => duplicate) ?? false,
        code: told.code,
      };
    } catch (error) {
      const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
      return { ...unanswered, ...this.#end(dueAt), unknown: !refused };
    }
  }

  #end(dueAt: number): Pick<SendAnswer, 'endedAt' | 'driverLateMs'> {
    const endedAt = Date.now();
    return { endedAt, driverLateMs: this.#loop.stoodStillMs(dueAt, endedAt) };
  }
}

interface Told {
  readonly jobs?: readonly { readonly jobId: string; readonly duplicate: boolean }[];
  readonly code?: string;
  readonly detail?: string;
}
