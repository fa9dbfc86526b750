import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type SendAnswer, type Sending } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const MAX_MEMORY = 64 * 1_024 * 1_024;
const FULL_FROM = 0.8;
/** Beyond what comes and goes with connections in the moment between two samples. */
const SURELY_FULL_FROM = 0.82;
/** An API looks at the memory of Redis every 500 ms of traffic. */
const LOOK_EVERY_MS = 500;
/** Until the next request asks for the look, and until its answer is read. */
const LOOK_LATE_MS = 250;
const SAMPLE_EVERY_MS = 50;
/** Large, so that a machine that has much else to do can fill Redis as well. */
const PADDING = 'x'.repeat(90_000);
const OVERLOAD_S = { pr: 30, nightly: 300 };
const ANSWER_MS = 600;
/** All slots together have an effect every 30 ms. */
const LONGEST_PAUSE_MS = 2_000;

/** What Redis holds. */
interface Sample {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Share of `maxmemory`. */
  readonly filled: number;
}

/** Twice as much comes in as can be done, until Redis is full. */
export const fullRedis: Proof = {
  id: 'P10',
  title: 'A full Redis drains itself',
  tier: 'nightly',
  target:
    'admission stops at the first look that finds 80 % of maxmemory in use (503 COORD_QUEUE_FULL; looks are 500 ms apart), workers never stop, not even above 100 %, the backlog reaches 0 without an operator, lost 0',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ redisArgs: ['--maxmemory', String(MAX_MEMORY)] });
    await stack.sink.behave('main', { kind: 'ok', delayMs: ANSWER_MS });
    const ratePerSecond = (2 * stack.slots * 1_000) / ANSWER_MS;
    const sendings = Array.from({ length: OVERLOAD_S[tier] * ratePerSecond }, (_, i) => padded(`p10-${i}`));
    const samples: Sample[] = [];
    const watch = setInterval(() => {
      const askedAt = Date.now();
      usedMemory(stack).then(
        (used) => samples.push({ askedAt, answeredAt: Date.now(), filled: used / MAX_MEMORY }),
        () => undefined,
      );
    }, SAMPLE_EVERY_MS);
    try {
      await stack.driver.drive(sendings, { ratePerSecond, insist: false });
    } finally {
      clearInterval(watch);
    }
    const { answers } = stack.driver;
    holdAdmission(samples, answers, findings);
    const full = answers.filter(({ code }) => code === 'COORD_QUEUE_FULL');
    findings.expect('answers COORD_QUEUE_FULL', full.length, { atLeast: 1 });
    const other = answers.filter(({ status, code }) => status !== 202 && code !== 'COORD_QUEUE_FULL');
    const answered = other.filter(({ status }) => status !== 0);
    const odd = answered.filter(({ status, retryAfter }) => status !== 503 || retryAfter === undefined);
    findings.expect('answers other than 202 and 503 with Retry-After', odd.length, { is: 0 });
    findings.notes.push(
      `${answered.length} were refused because Redis took longer than 0.8 s or the API had too much to do, ${other.length - answered.length} not answered within 5 s`,
    );

    await fillToTheBrim(stack, findings);
    await stack.drained(180_000);
    findings.expect('longest pause of the workers', await longestPause(stack), { atMost: LONGEST_PAUSE_MS }, 'ms');
    await eventually(async () => {
      const { status } = await stack.driver.send(delivery('p10-after'));
      if (status !== 202) throw new Error(`with the backlog done the answer is ${status}`);
    });
    await settleAccounts(stack, findings);
  },
};

function padded(key: string): Sending {
  return { key, body: { task: 'deliver', payload: { note: key, destination: 'main', padding: PADDING } } };
}

async function usedMemory(stack: ProvingStack): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(String(await stack.command('INFO', 'memory')))?.[1]);
}

/** From the moment at which APIs know it nothing is accepted; what Redis holds beyond 80 % came in before that. */
function holdAdmission(samples: readonly Sample[], answers: readonly SendAnswer[], findings: Findings): void {
  const accepted = answers.filter(({ status }) => status === 202);
  const late = new Set<SendAnswer>();
  let fullSince: number | undefined;
  let knownAt = Infinity;
  for (const { askedAt, answeredAt, filled } of samples) {
    if (filled < SURELY_FULL_FROM) [fullSince, knownAt] = [undefined, Infinity];
    else fullSince ??= answeredAt;
    // A look of theirs that was asked for when this one was has been answered when this one is.
    const looked = fullSince !== undefined && askedAt >= fullSince + LOOK_EVERY_MS + LOOK_LATE_MS;
    if (looked) knownAt = Math.min(knownAt, answeredAt + LOOK_LATE_MS);
    const from = knownAt;
    for (const answer of accepted.filter(({ dueAt, endedAt }) => dueAt > from && endedAt <= askedAt)) late.add(answer);
  }
  findings.expect('accepted although Redis was known to be full', late.size, { is: 0 });
  const most = Math.max(...samples.map(({ filled }) => filled));
  findings.expect('Redis was filled to', Math.round(100 * most), { atLeast: 100 * FULL_FROM }, '%');
  findings.notes.push('what it holds beyond 80 % came in between two looks of an API, which are 500 ms apart');
}

/** Less than is in use: every write is refused but those of work that is under way. */
async function fillToTheBrim(stack: ProvingStack, findings: Findings): Promise<void> {
  const used = await usedMemory(stack);
  await stack.command('CONFIG', 'SET', 'maxmemory', String(Math.round(used / 2)));
  const before = stack.driver.answers.length;
  const sendings = Array.from({ length: 20 }, (_, i) => delivery(`p10-brim-${i}`));
  await stack.driver.drive(sendings, { ratePerSecond: 40, insist: false });
  const answers = stack.driver.answers.slice(before);
  const { waiting } = await stack.books();
  findings.expect('jobs left with Redis above 100 %', waiting, { atLeast: 1 });
  const taken = answers.filter(({ code }) => code !== 'COORD_QUEUE_FULL').length;
  findings.expect('answers other than COORD_QUEUE_FULL with Redis above 100 %', taken, { is: 0 });
}

/** The longest time without an effect, from the first to the last of them; there was always something to do. */
async function longestPause(stack: ProvingStack): Promise<number> {
  const times = (await stack.sink.effects()).map(({ at }) => at).sort((a, b) => a - b);
  return Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? at)));
}
