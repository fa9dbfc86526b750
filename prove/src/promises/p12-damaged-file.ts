import { eventually } from '@coordinator/task-testing';
import { appendFile, mkdir, mkdtemp, open, readFile, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Findings } from '../finding.ts';
import type { Proof } from '../proof.ts';
import { GuideCommands } from '../stack/guide-commands.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const JOBS = 100;
const RATE = 200;
/** Every other job is done that much later, so that some have not ended when the file is damaged. */
const LATER_MS = 3_000;
const BLOCK = 4_096;
const NOTICE_MS = 2_000;

interface Damage {
  readonly name: string;
  readonly to: (file: string) => Promise<void>;
  /** What of docs/guides/run-it.md mends it; undefined where Redis starts all the same, with every job. */
  readonly mendedBy?: 'cut off what follows the damage' | 'put the backup in its place';
}

/** Adds to what must be 0 over all damages. */
type Count = (what: string, value: number) => void;

const zero = async (file: string, position: number) => {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(BLOCK), 0, BLOCK, Math.max(0, position));
  await handle.close();
};

const DAMAGES: readonly Damage[] = [
  // As a write that a power cut tore: nobody was answered for it.
  { name: 'half a command at the end', to: (file) => appendFile(file, '*3\r\n$3\r\nSET\r\n$5\r\nab') },
  // Of what was written last, which is about a job that has been run: it is run again.
  { name: 'last bytes cut off', to: async (file) => truncate(file, (await stat(file)).size - 20) },
  {
    name: 'a block of zeros at the end',
    to: async (file) => zero(file, (await stat(file)).size - BLOCK),
    mendedBy: 'cut off what follows the damage',
  },
  {
    name: 'a block of zeros in the middle',
    to: async (file) => zero(file, (await stat(file)).size / 2),
    mendedBy: 'put the backup in its place',
  },
  { name: 'the file deleted', to: (file) => rm(file), mendedBy: 'put the backup in its place' },
];

/** The append-only file of Redis is damaged in ways in which disks damage files, and mended as the guide says. */
export const damagedFile: Proof = {
  id: 'P12',
  title: 'A damaged append-only file never means silent loss',
  tier: 'nightly',
  target:
    'a torn tail: starts, nothing acknowledged lost; any other damage: Redis refuses to start, /readyz 503, and the commands of docs/guides/run-it.md bring it back: what is lost is listed, and done when it is repeated',
  run: async ({ start, findings }) => {
    findings.figures.n = DAMAGES.length;
    findings.figures.lost = 0;
    const wrongs = new Map<string, number>();
    const stack = await start();
    const folder = await mkdtemp(join(tmpdir(), 'coordinator-damaged-'));
    try {
      for (const [i, damage] of DAMAGES.entries()) {
        const own = join(folder, String(i));
        await mkdir(own);
        const count: Count = (what, value) => {
          wrongs.set(what, (wrongs.get(what) ?? 0) + Math.max(0, value));
          if (value > 0) findings.notes.push(`${damage.name}: ${what} ${value}`);
        };
        await damageAndMend(stack, damage, own, { findings, count });
        stack.driver.forget();
        stack.ledger.forget();
        await stack.sink.forget();
      }
    } finally {
      for (const [what, sum] of wrongs) findings.expect(what, sum, { is: 0 });
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function damageAndMend(
  stack: ProvingStack,
  damage: Damage,
  folder: string,
  { findings, count }: { readonly findings: Findings; readonly count: Count },
): Promise<void> {
  const { name, mendedBy } = damage;
  const [backup, damaged] = [join(folder, 'backup'), join(folder, 'damaged')];
  const guide = await GuideCommands.at(stack.redis.url, folder, {
    REDIS_DIR: stack.redis.dir,
    BACKUP: backup,
    DAMAGED: damaged,
  });
  if (!guide && mendedBy) {
    findings.notes.push(`${name}: the guide was not followed, which needs redis-cli and redis-check-aof`);
    return;
  }
  await stack.driver.drive(load(`${name}-before`), { ratePerSecond: RATE });
  await mkdir(backup);
  await guide?.run('the append-only files');
  const beforeBackup = new Set(stack.ledger.jobIds);
  const since = [...load(`${name}-since`), delivery(`p12-${name}-last`)];
  await stack.driver.drive(since, { ratePerSecond: RATE });
  const jobIds = stack.ledger.jobIds;
  const last = stack.driver.answers.findLast(({ key }) => key === since.at(-1)?.key)?.jobIds ?? [];
  // So that what is written last is no accept.
  await eventually(async () => {
    const ended = [...(await stack.fields(last, 'state')).values()].every((state) => state === 'completed');
    const { waiting, running } = await stack.books();
    if (!ended || waiting + running > 0) throw new Error(`${waiting} jobs wait and ${running} run`);
  });

  await stack.redis.kill('SIGKILL');
  await damage.to(await increment(stack.redis.dir));
  const started = await stack.redis.restart().then(
    () => true,
    () => false,
  );
  findings.expect(`${name}: started`, started ? 1 : 0, { is: mendedBy ? 0 : 1 });
  if (started && mendedBy) return;
  if (guide && mendedBy) {
    await everythingIsRefused(stack, name, count);
    await guide.run('keep the damaged files').catch(() => undefined);
    await guide.run(mendedBy);
    await guide.run('list the lost jobs');
    await stack.redis.restart();
  }
  await goesOn(stack, name, findings);

  const states = await stack.fields(jobIds, 'state');
  const lost = jobIds.filter((id) => states.get(id) === null);
  if (!mendedBy) count('lost by a torn tail', lost.length);
  count('jobs lost that were accepted before the backup', lost.filter((id) => beforeBackup.has(id)).length);
  if (guide && mendedBy) {
    const listed = await listedAsLost(join(folder, 'lost-jobs'));
    count('jobs listed as lost that are not', listed.filter((id) => !lost.includes(id)).length);
    findings.notes.push(
      `${name}: ${lost.length} of ${jobIds.length} lost, ${listed.length} of them listed by the guide`,
    );
    await guide.run('check the books');
  }
  if (guide && !mendedBy) await writeAnew(stack, guide);
  const doneBefore = new Set((await stack.sink.effects()).map(({ jobId }) => jobId));
  await stack.driver.drive(since, { ratePerSecond: RATE });
  const books = await stack.drained();
  const effects = await stack.sink.effects();
  const done = new Set(effects.map(({ note }) => note));
  const accepted = stack.ledger.entries.filter(({ jobIds }) => jobIds.size > 0);
  count('requests not done once they were repeated', accepted.filter(({ key }) => !done.has(key)).length);
  count('requests done that were refused', done.size - accepted.length);
  const twice = lost.filter((id) => doneBefore.has(id)).length;
  count('effects beyond one per request and lost job', effects.length - done.size - twice);
  count('jobs missing in the books', books.missing);
  count('faults of the audit', (await stack.auditFaults()).length);
}

function load(name: string): Sending[] {
  return Array.from({ length: JOBS }, (_, i) => {
    const { key, body } = delivery(`p12-${name}-${i}`);
    return { key, body: { ...body, delayMs: i % 2 === 0 ? 0 : LATER_MS } };
  });
}

/** By processes that live on, and say that they cannot take anything. */
async function everythingIsRefused(stack: ProvingStack, name: string, count: Count): Promise<void> {
  const all = [...stack.apis, ...stack.workers];
  const statuses = async (path: string) =>
    Promise.all(all.map(async ({ url }) => (await fetch(url + path, { signal: AbortSignal.timeout(2_000) })).status));
  await eventually(
    async () => {
      const found = await statuses('/readyz');
      if (found.some((status) => status !== 503)) throw new Error(`/readyz answered ${found.join()} without a Redis`);
    },
    { deadlineMs: NOTICE_MS },
  ).catch(() => undefined);
  count('/readyz other than 503', (await statuses('/readyz')).filter((status) => status !== 503).length);
  count('/livez other than 200', (await statuses('/livez')).filter((status) => status !== 200).length);
  const before = stack.driver.answers.length;
  const refused = Array.from({ length: 20 }, (_, i) => delivery(`p12-${name}-refused-${i}`));
  await stack.driver.drive(refused, { ratePerSecond: 100, insist: false });
  const answers = stack.driver.answers.slice(before);
  const other = answers.filter(({ status, retryAfter }) => status !== 503 || retryAfter === undefined);
  count('answers other than 503 with Retry-After', other.length);
}

async function goesOn(stack: ProvingStack, name: string, findings: Findings): Promise<void> {
  const backAt = Date.now();
  await eventually(async () => {
    const { status } = await stack.driver.send(delivery(`p12-${name}-back`));
    if (status !== 202) throw new Error(`with Redis back the answer is ${status}`);
  });
  findings.recoveriesMs.push(Date.now() - backAt);
  // The connection that reads the books here has to come back, too.
  await eventually(() => stack.books());
}

async function writeAnew(stack: ProvingStack, guide: GuideCommands): Promise<void> {
  await guide.run('write the file anew');
  await eventually(
    async () => {
      const info = String(await stack.command('INFO', 'persistence'));
      if (!/aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(info))
        throw new Error('the file is not written');
    },
    { deadlineMs: 60_000 },
  );
}

/** The file that grows, by the manifest. */
async function increment(dir: string): Promise<string> {
  const folder = join(dir, 'appendonlydir');
  const manifest = await readFile(join(folder, 'appendonly.aof.manifest'), 'utf8');
  const name = [...manifest.matchAll(/^file (\S+) seq \d+ type i$/gm)].at(-1)?.[1];
  if (name === undefined) throw new Error('Redis keeps no append-only file');
  return join(folder, name);
}

async function listedAsLost(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => line.slice(line.lastIndexOf(':') + 1));
}
