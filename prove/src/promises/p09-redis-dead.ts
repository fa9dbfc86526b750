import { eventually } from '@coordinator/task-testing';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type SendAnswer } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const PHASES = {
  pr: { deadMs: 6_000, frozenMs: 6_000, ratePerSecond: 100 },
  nightly: { deadMs: 300_000, frozenMs: 30_000, ratePerSecond: 300 },
};
/** How long the APIs may take to notice. */
const NOTICE_MS = 2_000;

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
    const { accepted } = await stack.drained();
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
      const statuses = await Promise.all(stack.apis.map(({ url }) => status(`${url}/readyz`)));
      if (statuses.some((one) => one !== 503))
        throw new Error(`/readyz answered ${statuses.join()} with Redis ${phase}`);
      return performance.now() - beganAt;
    },
    { deadlineMs: 10_000 },
  );
  const sendings = Array.from({ length: (forMs / 1_000) * ratePerSecond }, (_, i) => delivery(`p9-${phase}-${i}`));
  const driving = stack.driver.drive(sendings, { ratePerSecond, insist: false });
  findings.expect(`${phase}: /readyz 503 after`, Math.round(await unready), { atMost: 2_000 }, 'ms');
  await delay(forMs / 2);
  const alive = await Promise.all(stack.apis.map(({ url }) => status(`${url}/livez`)));
  findings.expect(`${phase}: APIs not alive`, alive.filter((one) => one !== 200).length, { is: 0 });
  await driving;

  const answers = stack.driver.answers.slice(before);
  const odd = answers.filter(({ status, retryAfter }) => status !== 503 || retryAfter === undefined);
  findings.expect(`${phase}: answers that are no 503 with Retry-After`, odd.length, { is: 0 });
  const took = answers.map(({ dueAt, endedAt }) => endedAt - dueAt);
  findings.expect(`${phase}: answered by p99`, Math.round(percentile(took, 0.99)), { atMost: 1_200 }, 'ms');
  return answers;
}

async function status(url: string): Promise<number> {
  return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).status;
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1_024);
}
