import { eventually } from '@coordinator/task-testing';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type SendAnswer, type Sending } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import { NotShownError } from '../not-shown.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const PHASES = {
  pr: { deadMs: 6_000, frozenMs: 6_000, ratePerSecond: 100 },
  nightly: { deadMs: 300_000, frozenMs: 30_000, ratePerSecond: 300 },
};
/** How long the APIs may take to notice. */
const NOTICE_MS = 2_000;
const ANSWER_MS = 1_200;
const LOOK_EVERY_MS = 1_000;

/** Redis is killed, then frozen; both times it comes back later. */
export const redisDead: Proof = {
  id: 'P9',
  title: 'Redis dead: fast, honest refusal',
  tier: 'pr',
  target:
    'every request 503 with Retry-After, p99 within 1.2 s, none hangs; /livez 200, /readyz 503 within 2 s; memory + at most 20 MB; repeated under its key the same job',
  run: async ({ tier, start, findings, say }) => {
    const { deadMs, frozenMs, ratePerSecond } = PHASES[tier];
    const stack = await start();
    const warmUp = Array.from({ length: ratePerSecond * 5 }, (_, i) => delivery(`p9-warm-${i}`));
    await stack.driver.drive(warmUp, { ratePerSecond });
    const memoryBefore = stack.apis.map(({ pid }) => residentMiB(pid));

    say('P9: Redis dead');
    await stack.redis.kill('SIGKILL');
    const dead = await during(stack, 'dead', deadMs, ratePerSecond, findings);
    // Nothing can reach a Redis that is gone: whoever is told that his job may be stored is told too little.
    const settled = dead.filter(({ dueAt }) => dueAt > (dead[0]?.dueAt ?? 0) + NOTICE_MS);
    findings.expect('dead: answers that leave it open', settled.filter(({ unknown }) => unknown).length, { is: 0 });
    await stack.redis.restart();
    await stack.apis[0]?.ready();
    await stack.apis[1]?.ready();

    say('P9: Redis frozen');
    stack.redis.pause();
    await during(stack, 'frozen', frozenMs, ratePerSecond, findings);
    stack.redis.resume();
    const grown = stack.apis.map(({ pid }, i) => residentMiB(pid) - (memoryBefore[i] ?? 0));
    findings.expect('memory of an API grew by', Math.max(...grown), { atMost: 20 }, 'MiB');

    say('P9: all of it sent again under its keys');
    const again = stack.ledger.entries.filter(({ jobIds }) => jobIds.size === 0).map(({ key }) => delivery(key));
    const keysWithout = again.length;
    await stack.driver.drive(again, { ratePerSecond: 300 });
    const { accepted } = await stack.drained(180_000);
    findings.expect('jobs beyond one per key', accepted - stack.ledger.entries.length, { is: 0 });
    findings.notes.push(`${keysWithout} requests were refused and sent again`);
    await settleAccounts(stack, findings);
  },
};

/** Sends once each while Redis is away, and looks at answers and probes. */
async function during(
  stack: ProvingStack,
  phase: string,
  forMs: number,
  ratePerSecond: number,
  findings: Findings,
): Promise<SendAnswer[]> {
  const before = stack.driver.answers.length;
  const beganAt = performance.now();
  const unready = eventually(
    async () => {
      const statuses = await statusesOf(stack, '/readyz');
      if (statuses.some((one) => one !== 503))
        throw new Error(`/readyz answered ${statuses.join()} with Redis ${phase}`);
      return performance.now() - beganAt;
    },
    { deadlineMs: 10_000 },
  );
  const sendings = Array.from({ length: (forMs / 1_000) * ratePerSecond }, (_, i) => delivery(`p9-${phase}-${i}`));
  const driving = driveOnce(stack, sendings, ratePerSecond);
  findings.expect(`${phase}: /readyz 503 after`, Math.round(await unready), { atMost: NOTICE_MS }, 'ms');
  const looks = { dead: 0, ready: 0 };
  while (!(await Promise.race([driving, delay(LOOK_EVERY_MS)]))) {
    looks.dead += (await statusesOf(stack, '/livez')).filter((one) => one !== 200).length;
    looks.ready += (await statusesOf(stack, '/readyz')).filter((one) => one !== 503).length;
  }

  const answers = stack.driver.answers.slice(before);
  holdAnswers(phase, answers, findings);
  findings.expect(`${phase}: looks at /livez that were no 200`, looks.dead, { is: 0 });
  findings.expect(`${phase}: looks at /readyz that were no 503`, looks.ready, { is: 0 });
  return answers;
}

/** Resolves with true, which a pause does not. */
async function driveOnce(stack: ProvingStack, sendings: readonly Sending[], ratePerSecond: number): Promise<true> {
  await stack.driver.drive(sendings, { ratePerSecond, insist: false });
  return true;
}

/** @throws NotShownError when it was the driver that was late, and not the APIs */
function holdAnswers(phase: string, answers: readonly SendAnswer[], findings: Findings): void {
  const odd = answers.filter(({ status, retryAfter }) => status !== 503 || retryAfter === undefined);
  const unanswered = odd.filter(({ status }) => status === 0);
  const took = answers.map(({ dueAt, endedAt }) => endedAt - dueAt);
  const apisTook = answers.map(({ driverLateMs }, i) => (took[i] ?? 0) - driverLateMs);
  const p99 = Math.round(percentile(took, 0.99));
  const late = answers.map(({ driverLateMs }) => driverLateMs);
  const lateP99 = Math.round(percentile(late, 0.99));
  const hung = unanswered.filter(({ dueAt, endedAt, driverLateMs }) => endedAt - dueAt - driverLateMs > ANSWER_MS);
  if ((unanswered.length > 0 || p99 > ANSWER_MS) && hung.length === 0 && percentile(apisTook, 0.99) <= ANSWER_MS) {
    throw new NotShownError(
      `${phase}: ${unanswered.length} requests without an answer, p99 ${p99} ms, but the driver itself stood still for ${lateP99} ms of them (p99): this machine has too much else to do`,
    );
  }
  findings.expect(`${phase}: answers that are no 503 with Retry-After`, odd.length - unanswered.length, { is: 0 });
  findings.expect(`${phase}: requests without an answer`, unanswered.length, { is: 0 });
  findings.expect(`${phase}: answered by p99`, p99, { atMost: ANSWER_MS }, 'ms');
  findings.notes.push(`${phase}: the driver itself stood still for ${lateP99} ms of a request (p99)`);
}

function statusesOf(stack: ProvingStack, path: string): Promise<number[]> {
  return Promise.all(stack.apis.map(({ url }) => status(`${url}${path}`)));
}

/** 0 where no answer came. */
async function status(url: string): Promise<number> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.status,
    () => 0,
  );
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1_024);
}
