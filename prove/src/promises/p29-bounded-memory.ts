import { eventually } from '@coordinator/task-testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import type { Sending } from '../driver/sending.ts';
import type { ProxyManner } from '../faults/tcp-proxy.ts';
import { Findings } from '../finding.ts';
import type { Proof, Scene } from '../proof.ts';
import { growth } from '../soak/growth.ts';
import { probing, readSamples, type ProcessSample } from '../soak/process-samples.ts';
import type { Manner } from '../sink/manner.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const RATE = 50;
const ILL_EVERY = 100;
/** The books are closed after each leg: hours of them have no room in memory. */
const SIZES = { pr: { legs: 1, legS: 60 }, nightly: { legs: 1, legS: 900 }, weekly: { legs: 16, legS: 1_800 } };
const WARM_UP_S = 20;
/** Records and keys of ended jobs are gone after that, so that a run sees them go; no sender repeats a request that late. */
const RETENTION_MS = 40_000;
const ILLS: readonly Manner[] = [
  { kind: 'status', status: 500 },
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'drip' },
  { kind: 'drop-answer' },
];
const CUTS: readonly ProxyManner[] = ['refuse', 'reset', 'stall', 'drop-replies'];
/**
 * What a run may add: about 100 bytes a job on the heap of a process in the tier nightly. The driver keeps as many
 * connections as it once had requests under way, which a moment of a slow disk decides; what leaks, leaks with thousands of
 * jobs.
 */
const MOST = { heapMiB: 2, rssMiB: 16, handles: 40, fds: 40, redisMiB: 5, keys: 5 };
/** What hours may add; a short run is too short for that. */
const MOST_RSS_PER_HOUR_MIB = 1;

/** Load for hours, of which a hundredth goes wrong, with connections to Redis that break. */
export const boundedMemory: Proof = {
  id: 'P29',
  title: 'Memory and keys are bounded',
  tier: 'nightly',
  weekly: true,
  target:
    'under 50 jobs/s with 1 % faults no process grows (least squares over the last three quarters), and Redis is where it began once all is drained and retention is over',
  run: async ({ tier, weekly, start, findings, say }) => {
    const { legs, legS } = SIZES[weekly ? 'weekly' : tier];
    const probes = await mkdtemp(join(tmpdir(), 'coordinator-soak-'));
    try {
      const everyMs = Math.max(1_000, Math.min(60_000, (legs * legS * 1_000) / 200));
      const retention = { COMPLETED_RETENTION_MS: String(RETENTION_MS), DEAD_RETENTION_MS: String(RETENTION_MS) };
      const stack = await start({ proxied: true, env: { ...probing(probes, everyMs), ...retention } });
      await leg(stack, 'warm', WARM_UP_S, findings, say);
      const before = await redisWhenQuiet(stack);
      const startedAt = Date.now();
      for (let i = 0; i < legs; i += 1) await leg(stack, String(i), legS, findings, say);
      const endedAt = Date.now();
      const after = await redisWhenQuiet(stack, before.keys + MOST.keys);
      findings.figures.n = RATE * legs * legS;
      findings.expect('Redis grew by', after.memoryMiB - before.memoryMiB, { atMost: MOST.redisMiB }, 'MiB');
      findings.expect('keys left behind', after.keys - before.keys, { atMost: MOST.keys });

      const hours = (0.75 * (endedAt - startedAt)) / 3_600_000;
      const bounds = { ...MOST, rssMiB: weekly ? MOST_RSS_PER_HOUR_MIB * hours : MOST.rssMiB };
      const samples = await readSamples(probes);
      const processes = { api: stack.apis, worker: stack.workers };
      for (const [kind, list] of Object.entries(processes)) {
        findings.expect(
          `${kind}s that ended`,
          list.reduce((sum, { crashes }) => sum + crashes, 0),
          { is: 0 },
        );
        const own = list.map(({ pid }) =>
          (samples.get(pid) ?? []).filter(({ at }) => at >= startedAt && at <= endedAt),
        );
        const most = (of: (sample: ProcessSample) => number) =>
          Math.max(...own.map((list) => growth(list.map((sample) => ({ at: sample.at, value: of(sample) })))));
        findings.expect(
          `${kind}: heap grew by`,
          most(({ heapMiB }) => heapMiB),
          { atMost: bounds.heapMiB },
          'MiB',
        );
        findings.expect(
          `${kind}: resident memory grew by`,
          most(({ rssMiB }) => rssMiB),
          { atMost: bounds.rssMiB },
          'MiB',
        );
        findings.expect(
          `${kind}: handles grew by`,
          most(({ handles }) => handles),
          { atMost: bounds.handles },
        );
        findings.expect(
          `${kind}: open files grew by`,
          most(({ fds }) => fds),
          { atMost: bounds.fds },
        );
        findings.notes.push(`${kind}s at the end: ${own.map((list) => told(list.at(-1))).join(', ')}`);
      }
    } finally {
      await rm(probes, { recursive: true, force: true });
    }
  },
};

/** Drives load for a while, and settles its accounts. */
async function leg(stack: ProvingStack, name: string, seconds: number, findings: Findings, say: Scene['say']) {
  const sendings = Array.from({ length: RATE * seconds }, (_, i): Sending => {
    const note = `p29-${name}-${i}`;
    const destination = i % ILL_EVERY === 0 ? 'ill' : 'main';
    return { key: note, body: { task: 'fleeting', payload: { note, destination } } };
  });
  const over = new AbortController();
  const trouble = makeTrouble(stack, Math.max(2_500, Math.min(30_000, (seconds * 1_000) / 10)), over.signal);
  try {
    await stack.driver.drive(sendings, { ratePerSecond: RATE });
  } finally {
    over.abort();
    await trouble;
  }
  const own = new Findings();
  const { lost } = await settleAccounts(stack, own, 180_000);
  findings.figures.lost = (findings.figures.lost ?? 0) + lost.length;
  for (const { what, value, bound, unit } of own.broken) findings.expect(`leg ${name}: ${what}`, value, bound, unit);
  say(`P29: leg ${name}: ${sendings.length} jobs, ${own.broken.length} findings`);
  stack.driver.forget();
  stack.ledger.forget();
  await stack.sink.forget();
}

/** Another fault of the ill service, and a cut of the connections to Redis, each time; all is well at the end. */
async function makeTrouble(stack: ProvingStack, everyMs: number, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i += 1) {
    await stack.sink.behave('ill', i % 2 === 0 ? (ILLS[(i / 2) % ILLS.length] as Manner) : { kind: 'ok' });
    await stack.proxy?.behave(CUTS[i % CUTS.length] as ProxyManner);
    await delay(500);
    await stack.proxy?.behave('pass');
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
  await stack.sink.behave('ill', { kind: 'ok' });
}

/** What Redis holds once nothing is under way and what has ended is past its retention. @param wanted keys to wait for */
async function redisWhenQuiet(stack: ProvingStack, wanted = 0) {
  const read = async () => {
    const info = (await stack.command('INFO', 'memory')) as string;
    const bytes = Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
    return { keys: (await stack.command('DBSIZE')) as number, memoryMiB: bytes / 2 ** 20 };
  };
  await delay(RETENTION_MS);
  // Redis deletes what has expired little by little.
  let last = Infinity;
  await eventually(
    async () => {
      const { keys } = await read();
      const steady = keys <= wanted || keys === last;
      last = keys;
      if (!steady) throw new Error(`Redis still holds ${keys} keys`);
    },
    { deadlineMs: 120_000, everyMs: 5_000 },
  );
  return read();
}

function told(sample: ProcessSample | undefined): string {
  if (!sample) return 'no sample';
  const { heapMiB, rssMiB, handles, fds, lagMs } = sample;
  return `heap ${heapMiB.toFixed(1)} MiB, resident ${rssMiB.toFixed(0)} MiB, ${handles} handles, ${fds} files, loop late by p99 ${lagMs.toFixed(0)} ms`;
}
