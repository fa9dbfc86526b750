import { eventually } from '@coordinator/task-testing';
import { check } from '../checker/checker.ts';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Misdeed } from '../extension/misdeeds.ts';
import type { Findings } from '../finding.ts';
import { meets } from '../need.ts';
import type { Proof, Scene } from '../proof.ts';
import { MemoryGroup } from '../stack/memory-group.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import type { ProvingStackOptions } from '../stack/stack-options.ts';

const DELIVERIES = 3;
/** A poison moves on to the next worker after it; the one that it took down is to be up again by and by. */
const LEASE_MS = 3_000;
const RATE = 40;
const LONGEST_MS = 90_000;
const HOW: readonly Misdeed[] = ['exit', 'segfault'];
/** A busy worker has 100 to 120 of them: the poison alone is to go beyond. */
const MEBIBYTES = 192;
const WORKERS = ['worker-1', 'worker-2', 'worker-3'];

/** A job that takes its worker down, beside jobs that do no harm. */
export const poison: Proof = {
  id: 'P19',
  title: 'Poison is quarantined',
  tier: 'pr',
  target:
    'a job that kills its worker is dead after 3 deliveries, as crashed-worker; of the other jobs none is lost or dead, and they keep 80 % of their throughput',
  run: async (scene) => {
    const groups = meets('memory-cgroup') ? WORKERS.map(() => new MemoryGroup(MEBIBYTES * 2 ** 20)) : [];
    let stack: ProvingStack | undefined;
    try {
      stack = await scene.start({ leaseMs: LEASE_MS, workers: WORKERS.length, ...limited(groups) });
      await quarantine(stack, groups, scene);
    } finally {
      await stack?.stop();
      for (const group of groups) group.remove();
    }
  },
};

/** Workers that have so much memory and no more: by the kernel, which kills them, or else by V8, which aborts. */
function limited(groups: readonly MemoryGroup[]): ProvingStackOptions {
  // In a group the heap is kept well below what the kernel allows: only the poison is to go beyond it.
  const heap =
    groups.length > 0 ? '--max-old-space-size=64 --max-semi-space-size=4' : `--max-old-space-size=${MEBIBYTES}`;
  return {
    envOf: Object.fromEntries(WORKERS.map((name) => [name, { NODE_OPTIONS: heap }])),
    groupOf: Object.fromEntries(groups.map(({ processes }, i) => [WORKERS[i] ?? '', processes])),
  };
}

async function quarantine(
  stack: ProvingStack,
  groups: readonly MemoryGroup[],
  { findings, say }: Pick<Scene, 'findings' | 'say'>,
): Promise<void> {
  const greedy: Misdeed = groups.length > 0 ? 'out-of-memory' : 'out-of-heap';
  // Slow enough for each crash to take some of them along, quick enough for one worker to catch up with what two left.
  await stack.sink.behave('main', { kind: 'ok', delayMs: 100 });
  const ids = new Set<string>();

  // Load for as long as the poison works, whatever that is.
  const beganAt = Date.now();
  let sent = 0;
  let poisonOver = false;
  const load = (async () => {
    while (!poisonOver) {
      const second = Array.from({ length: RATE }, () => delivery(`p19-${sent++}`));
      await stack.driver.drive(second, { ratePerSecond: RATE });
    }
  })();
  load.catch(() => undefined);
  try {
    // One after the other: workers that come up are to find a neighbour that works.
    for (const how of [...HOW, greedy]) ids.add(await untilDead(stack, how, findings));
  } finally {
    poisonOver = true;
  }
  const overAt = Date.now();
  say(`P19: the poison was dead after ${overAt - beganAt} ms`);
  await load;
  const books = await stack.drained();

  const reasons = await stack.fields([...ids], 'outcome');
  findings.expect('dead for another reason', [...reasons.values()].filter((why) => why !== 'crashed-worker').length, {
    is: 0,
  });
  const crashes = stack.workers.reduce((sum, worker) => sum + worker.crashes, 0);
  findings.expect('workers taken down', crashes, { is: DELIVERIES * ids.size });
  const effects = await stack.sink.effects();
  const innocentDead = [...(await stack.dead())].filter((id) => !ids.has(id));
  const breaks = check({
    sent: stack.ledger.entries,
    effects,
    dead: new Set([...ids, ...innocentDead]),
    starts: new Map(),
  });
  findings.figures.n = sent;
  findings.figures.kills = crashes;
  findings.figures.lost = breaks.lost.length;
  findings.figures.duplicates = breaks.duplicateEffects.length;
  findings.expect('lost', breaks.lost.length, { is: 0 });
  findings.expect('innocent jobs that are dead letters', innocentDead.length, { is: 0 });
  findings.expect('jobs missing in the books', books.missing, { is: 0 });
  const done = effects.filter(({ at }) => at <= overAt).length;
  const due = (RATE * (overAt - beganAt)) / 1_000;
  findings.expect('throughput meanwhile', Math.round((100 * done) / due), { atLeast: 80 }, '%');
  if (groups.length === 0) {
    findings.notes.push(`memory was limited by the heap of V8, ${MEBIBYTES} MiB, as no cgroup can be made here`);
    return;
  }
  findings.notes.push(`memory was limited by cgroups: ${MEBIBYTES} MiB, as a busy worker alone has up to 120`);
  const killed = stack.workers.reduce((sum, worker) => sum + worker.killed, 0);
  findings.expect('workers that ended with 137', killed, { is: DELIVERIES });
  const byKernel = groups.reduce((sum, { kills }) => sum + kills, 0);
  findings.expect(`workers killed by the kernel at ${MEBIBYTES} MiB`, byKernel, { is: DELIVERIES });
}

/** Sends a poison and waits until it is a dead letter; its id. */
async function untilDead(stack: ProvingStack, how: Misdeed, findings: Findings): Promise<string> {
  const key = `p19-${how}`;
  const sentAt = Date.now();
  const sending: Sending = { key, body: { task: 'misbehave', payload: { note: key, how } } };
  await stack.driver.drive([sending], { ratePerSecond: 1 });
  const [id = ''] = stack.ledger.entries.find((entry) => entry.key === key)?.jobIds ?? [];
  await eventually(
    async () => {
      const state = (await stack.fields([id], 'state')).get(id);
      if (state !== 'dead') throw new Error(`poisonous jobs are not dead letters: ${how} is ${state}`);
    },
    { deadlineMs: LONGEST_MS, everyMs: 200 },
  );
  findings.recoveriesMs.push(Date.now() - sentAt);
  return id;
}
