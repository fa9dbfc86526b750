import { eventually } from '@coordinator/task-testing';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import type { SinkCall } from '../sink/effect-ledger.ts';

const WAIT_S = 4;
const HOUR_MS = 3_600_000;
/** How long a job waits for a rate limit that names no time. */
const UNSTATED_MS = 30_000;
/** What the task's own backoff may add: its cap. */
const BACKOFF_MS = 5_000;

interface Case {
  readonly name: string;
  readonly status: number;
  readonly value: () => string;
  /** No call again before this time, from the value and the first call; undefined where the value means nothing. */
  readonly notBefore?: (value: string, firstAt: number) => number;
  /** When it is due again at the latest. */
  readonly byMs: number;
}

/** A date has whole seconds, so that up to one of them is lost. */
const inSeconds = (seconds: number) => new Date(Math.ceil(Date.now() / 1_000 + seconds) * 1_000).toUTCString();

const afterFirst = (ms: number) => (_value: string, firstAt: number) => firstAt + ms;

const CASES: readonly Case[] = [
  {
    name: 'seconds-429',
    status: 429,
    value: () => String(WAIT_S),
    notBefore: afterFirst(WAIT_S * 1_000),
    byMs: WAIT_S * 1_000 + BACKOFF_MS,
  },
  {
    name: 'seconds-503',
    status: 503,
    value: () => String(WAIT_S),
    notBefore: afterFirst(WAIT_S * 1_000),
    byMs: WAIT_S * 1_000 + BACKOFF_MS,
  },
  {
    name: 'date-429',
    status: 429,
    value: () => inSeconds(WAIT_S),
    notBefore: Date.parse,
    byMs: (WAIT_S + 1) * 1_000 + BACKOFF_MS,
  },
  {
    name: 'date-503',
    status: 503,
    value: () => inSeconds(WAIT_S),
    notBefore: Date.parse,
    byMs: (WAIT_S + 1) * 1_000 + BACKOFF_MS,
  },
  {
    name: 'huge-429',
    status: 429,
    value: () => '1000000000',
    notBefore: afterFirst(HOUR_MS),
    byMs: HOUR_MS + BACKOFF_MS,
  },
  {
    name: 'huge-503',
    status: 503,
    value: () => '1000000000',
    notBefore: afterFirst(HOUR_MS),
    byMs: HOUR_MS + BACKOFF_MS,
  },
  { name: 'none-503', status: 503, value: () => '0', byMs: BACKOFF_MS },
  {
    name: 'none-429',
    status: 429,
    value: () => '0',
    notBefore: afterFirst(UNSTATED_MS),
    byMs: UNSTATED_MS + BACKOFF_MS,
  },
  {
    name: 'negative-429',
    status: 429,
    value: () => '-5',
    notBefore: afterFirst(UNSTATED_MS),
    byMs: UNSTATED_MS + BACKOFF_MS,
  },
  { name: 'negative', status: 503, value: () => '-5', byMs: BACKOFF_MS },
  { name: 'exponent', status: 503, value: () => '1e9', byMs: BACKOFF_MS },
  { name: 'past', status: 503, value: () => inSeconds(-60), byMs: BACKOFF_MS },
  { name: 'garbage', status: 503, value: () => 'soon', byMs: BACKOFF_MS },
  {
    name: 'garbage-429',
    status: 429,
    value: () => '\u00e9\u00e9',
    notBefore: afterFirst(UNSTATED_MS),
    byMs: UNSTATED_MS + BACKOFF_MS,
  },
];

/** Services that say when to come again, and some that say nonsense. */
export const retryAfter: Proof = {
  id: 'P18',
  title: 'Retry-After is obeyed',
  tier: 'pr',
  target: 'seconds and dates: no call before; at most one hour; nonsense and 0 are ignored',
  run: async ({ start, findings }) => {
    const stack = await start();
    const jobs = new Map<string, string>();
    const values = new Map<string, string>();
    for (const { name, status, value } of CASES) {
      const headers = { 'retry-after': value() };
      values.set(name, headers['retry-after']);
      await stack.sink.behave(name, { kind: 'status', status, headers, count: 1 });
      const { jobIds } = await stack.driver.send(delivery(`p18-${name}`, { destination: name }));
      jobs.set(name, jobIds[0] ?? '');
    }
    findings.figures.n = CASES.length;

    const waits = await eventually(async () => {
      const dues = await stack.fields([...jobs.values()], 'dueAt');
      const states = await stack.fields([...jobs.values()], 'outcome');
      const calls = await stack.sink.calls();
      return new Map(
        CASES.map(({ name }) => {
          const jobId = jobs.get(name) ?? '';
          const first = calls.find(({ destination }) => destination === name)?.at;
          if (first === undefined || !states.get(jobId)) throw new Error(`${name} has not been refused yet`);
          return [name, { first, dueAt: Number(dues.get(jobId)) }];
        }),
      );
    });
    const late = CASES.filter(({ name, byMs }) => {
      const { first = 0, dueAt = Infinity } = waits.get(name) ?? {};
      return dueAt - first > byMs + 500;
    });
    findings.expect('due too late', late.length, { is: 0 });
    if (late.length > 0) findings.notes.push(`late: ${late.map(({ name }) => name).join(', ')}`);

    const hasty = CASES.filter(({ name, notBefore }) => {
      const { first = 0, dueAt = 0 } = waits.get(name) ?? {};
      return notBefore && dueAt < notBefore(values.get(name) ?? '', first);
    });
    findings.expect('due too early', hasty.length, { is: 0 });

    // What waits for an hour has said enough.
    const soon = CASES.filter(({ byMs }) => byMs <= 10_000);
    const again = (calls: readonly SinkCall[], name: string) =>
      calls.filter(({ destination }) => destination === name).length >= 2;
    await eventually(
      async () => {
        const calls = await stack.sink.calls();
        const left = soon.filter(({ name }) => !again(calls, name));
        if (left.length > 0) throw new Error(`no second call to ${left.map(({ name }) => name).join()}`);
      },
      { deadlineMs: 20_000 },
    ).catch(() => undefined);
    const calls = await stack.sink.calls();
    findings.expect('not called again', soon.filter(({ name }) => !again(calls, name)).length, { is: 0 });
    const early = CASES.filter(({ name, notBefore }) => {
      const [first, second] = calls.filter(({ destination }) => destination === name);
      return notBefore && first && second && second.at < notBefore(values.get(name) ?? '', first.at);
    });
    findings.expect('called too early', early.length, { is: 0 });
    if (early.length > 0) findings.notes.push(`early: ${early.map(({ name }) => name).join(', ')}`);
  },
};
