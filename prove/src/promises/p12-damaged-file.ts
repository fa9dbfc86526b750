import { startRedis } from '@coordinator/task-testing';
import { appendFile, cp, mkdtemp, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lackingJobs } from '../checker/lacking-jobs.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const JOBS = 300;
const BLOCK = 4_096;
const START_MS = 5_000;

interface Damage {
  readonly name: string;
  readonly to: (file: string) => Promise<void>;
  /** Whether Redis is to start all the same; what it then lacks may be this many commands. */
  readonly startsLacking?: number;
}

const zero = async (file: string, position: number) => {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(BLOCK), 0, BLOCK, Math.max(0, position));
  await handle.close();
};

const DAMAGES: readonly Damage[] = [
  // As a write that a power cut tore: nobody was answered for it.
  {
    name: 'half a command at the end',
    to: (file) => appendFile(file, '*3\r\n$3\r\nSET\r\n$5\r\nab'),
    startsLacking: 0,
  },
  { name: 'last bytes cut off', to: async (file) => truncate(file, (await stat(file)).size - 20), startsLacking: 1 },
  { name: 'a block of zeros at the end', to: async (file) => zero(file, (await stat(file)).size - BLOCK) },
  { name: 'a block of zeros in the middle', to: async (file) => zero(file, (await stat(file)).size / 2) },
  { name: 'the file deleted', to: (file) => rm(file) },
];

/** The append-only file of Redis is damaged in ways in which disks damage files. */
export const damagedFile: Proof = {
  id: 'P12',
  title: 'A damaged append-only file never means silent loss',
  tier: 'nightly',
  target:
    'a torn tail: starts, nothing acknowledged lost; any other damage: Redis refuses to start, and a copy of the files restores it',
  run: async ({ start, findings }) => {
    const stack = await start();
    await stack.driver.drive(
      Array.from({ length: JOBS }, (_, i) => delivery(`p12-${i}`)),
      { ratePerSecond: 200 },
    );
    await stack.drained();
    const jobIds = stack.ledger.jobIds;
    await stack.redis.kill('SIGKILL');
    findings.figures.n = DAMAGES.length + 1;
    for (const damage of [...DAMAGES, { name: 'no damage', to: async () => undefined, startsLacking: 0 }]) {
      const lacking = await startOn(stack.redis.dir, damage, jobIds);
      const may = 'startsLacking' in damage ? damage.startsLacking : undefined;
      if (may === undefined) findings.expect(`${damage.name}: started`, lacking === undefined ? 0 : 1, { is: 0 });
      else findings.expect(`${damage.name}: jobs lacking`, lacking ?? NaN, { atMost: may });
    }
  },
};

/** How many jobs a Redis lacks that starts on a damaged copy; undefined when it refuses to start. */
async function startOn(dir: string, { to }: Damage, jobIds: readonly string[]): Promise<number | undefined> {
  const copy = await mkdtemp(join(tmpdir(), 'coordinator-damaged-'));
  try {
    await cp(dir, copy, { recursive: true });
    const folder = join(copy, 'appendonlydir');
    const increment = (await readdir(folder)).find((name) => name.includes('.incr.'));
    if (!increment) throw new Error('Redis keeps no append-only file');
    await to(join(folder, increment));
    const redis = await startRedis({ dir: copy, readyTimeoutMs: START_MS }).catch(() => undefined);
    return redis && (await lackingJobs(redis, jobIds)).length;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
