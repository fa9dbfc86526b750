import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { announcement, delivery } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import { NextReleaseTree } from '../next-release/next-release-tree.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { TOKEN } from '../stack/stack-options.ts';
import type { SupervisedProcess } from '../stack/supervised-process.ts';

const JOBS = 50;
const ROLLS = { pr: 2, nightly: 10 };
/** Per second, while releases roll. */
const RATE = 30;
/** How long parked jobs may take while older workers run, too. */
const PATIENCE_MS = 90_000;
const QUICKLY = { ratePerSecond: 100 };

/** APIs of the next release beside workers of this one, and the other way round, and one rolled out over the other. */
export const mixedReleases: Proof = {
  id: 'P23',
  title: 'Mixed releases are safe',
  tier: 'nightly',
  target:
    'jobs of a newer release are parked by older workers, not failed, and run when a matching worker comes; those of an older one run on newer workers; rolled to and fro under load; lost 0',
  run: async ({ tier, root, start, findings, say }) => {
    const next = new NextReleaseTree(root);
    try {
      const stack = await start({ rootOf: { 'api-1': next.root, 'worker-2': next.root } });
      const [newerApi, olderApi] = stack.apis;
      const [olderWorker, newerWorker] = stack.workers;
      if (!newerApi || !olderApi || !newerWorker || !olderWorker)
        throw new Error('The stack has no two APIs and workers');
      const releases = await Promise.all([newerApi, olderApi, olderWorker, newerWorker].map(releaseOf));
      const { release, olderRelease } = next;
      const told = releases.join() === [release, olderRelease, olderRelease, release].join();
      findings.expect('processes that tell another release than theirs', told ? 0 : 1, { is: 0 });

      await newerWorker.terminate();
      only(stack, newerApi);
      await newerJobsWait(stack, findings, { olderWorker, olderApi });
      newerWorker.startAgain();
      await newerWorker.ready();
      const comeAt = performance.now();
      await stack.drained(PATIENCE_MS);
      findings.recoveriesMs.push(performance.now() - comeAt);
      await stack.driver.drive(deliveries('newer-api-both-workers'), QUICKLY);
      await stack.drained(PATIENCE_MS);

      await olderWorker.terminate();
      only(stack, olderApi);
      await stack.driver.drive(deliveries('older-api-newer-worker'), QUICKLY);
      await stack.drained(PATIENCE_MS);
      await repeatElsewhere(stack, newerApi, olderApi);
      const refused = stack.driver.answers.filter(({ status }) => status === 422);
      findings.expect('repeated requests that another release refused', refused.length, { is: 0 });
      olderWorker.startAgain();
      await olderWorker.ready();

      await roll(stack, { roots: [next.root, root], rolls: ROLLS[tier], say });
      findings.notes.push(`${(await stack.books()).parked} jobs of the newer release were left parked by a rollback`);
      await replaceAll(stack, next.root);
      await settleAccounts(stack, findings);
      findings.expect('dead letters', (await stack.dead()).size, { is: 0 });
      await stack.stop();
    } finally {
      next.remove();
    }
  },
};

/** What an older worker does with jobs of a newer release, a new shape and a new task, and how it tells. */
async function newerJobsWait(
  stack: ProvingStack,
  findings: Findings,
  { olderWorker, olderApi }: { olderWorker: SupervisedProcess; olderApi: SupervisedProcess },
): Promise<void> {
  const announcements = Array.from({ length: JOBS }, (_, i) => announcement(`p23-announce-${i}`));
  await stack.driver.drive([...deliveries('newer-api-older-worker'), ...announcements], QUICKLY);
  const all = 2 * JOBS;
  await eventually(
    async () => {
      const { parked, dead } = await stack.books();
      // A line comes after what it tells of.
      const told = stack.log.matching(/^job (parked|is a dead letter)/).length;
      if (Math.min(parked + dead, told) < all) throw new Error(`an older worker has parked ${parked} of ${all} jobs`);
    },
    { deadlineMs: 15_000 },
  );
  const books = await stack.books();
  findings.expect('jobs parked by an older worker', books.parked, { is: all });
  findings.expect('jobs failed by an older worker', books.dead, { is: 0 });
  const lines = stack.log.matching(/^job parked/);
  for (const reason of ['payload-version-unknown', 'task-unknown']) {
    const jobs = new Set(lines.filter((line) => line.reason === reason).map(({ jobId }) => jobId));
    findings.expect(`jobs logged as ${reason}`, jobs.size, { is: JOBS });
  }
  const metrics = await (await fetch(`${olderWorker.url}/metrics`)).text();
  const [, gauge] = /^coordinator_queue_parked\{[^}]*"prove"[^}]*\} (\d+)/m.exec(metrics) ?? [];
  findings.expect('coordinator.queue.parked', Number(gauge), { is: all });
  findings.expect('parked jobs that an older API shows', await shown(stack, olderApi), { is: all });
}

/** How many of the acknowledged jobs an API shows as parked. */
async function shown(stack: ProvingStack, api: SupervisedProcess): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const views = await Promise.all(
    stack.ledger.jobIds.map(async (id) => (await fetch(`${api.url}/v1/jobs/${id}`, { headers })).json()),
  );
  return views.filter((view) => (view as { state?: string }).state === 'parked').length;
}

/** Requests that come again to an API of the other release, as after a lost answer: one job each. */
async function repeatElsewhere(stack: ProvingStack, ...[first, second]: [SupervisedProcess, SupervisedProcess]) {
  for (const [one, other, name] of [
    [first, second, 'repeated-to-older'],
    [second, first, 'repeated-to-newer'],
  ] as const) {
    for (const api of [one, other]) {
      only(stack, api);
      for (const sending of deliveries(name)) await stack.driver.send(sending);
    }
  }
}

/** Replaces all processes over and over, one after the other, under load. */
async function roll(
  stack: ProvingStack,
  { roots, rolls, say }: { roots: readonly [string, string]; rolls: number; say: (line: string) => void },
): Promise<void> {
  for (const api of stack.apis) stack.driver.admit(api.url);
  const rolling = { over: false };
  const load = driveWhile(stack, () => !rolling.over);
  load.catch(() => undefined);
  try {
    for (let i = 0; i < rolls; i += 1) {
      say(`  roll ${i + 1} of ${rolls}`);
      // In turns, so that each side is the newer one for a while.
      await replaceAll(stack, roots[i % 2] as string, i % 4 < 2 ? 'APIs first' : 'workers first');
    }
  } finally {
    rolling.over = true;
  }
  await load;
}

async function replaceAll(stack: ProvingStack, root: string, order = 'APIs first'): Promise<void> {
  const apis = stack.apis.map((api) => async () => {
    stack.driver.avoid(api.url);
    await api.moveTo(root);
    stack.driver.admit(api.url);
  });
  const workers = stack.workers.map((worker) => () => worker.moveTo(root));
  for (const replace of order === 'APIs first' ? [...apis, ...workers] : [...workers, ...apis]) await replace();
}

async function driveWhile(stack: ProvingStack, wanted: () => boolean): Promise<void> {
  for (let second = 0; wanted(); second += 1) {
    // An API of the older release refuses it, and then nothing is owed.
    await stack.driver.send(announcement(`p23-roll-announce-${second}`));
    await stack.driver.drive(deliveries(`roll-${second}`, RATE), { ratePerSecond: RATE });
  }
}

function deliveries(name: string, count = JOBS) {
  return Array.from({ length: count }, (_, i) => delivery(`p23-${name}-${i}`));
}

/** Has the driver send to one API and to no other. */
function only(stack: ProvingStack, api: SupervisedProcess): void {
  for (const { url } of stack.apis) stack.driver[url === api.url ? 'admit' : 'avoid'](url);
}

async function releaseOf({ url }: SupervisedProcess): Promise<string> {
  return ((await (await fetch(`${url}/version`)).json()) as { release: string }).release;
}
