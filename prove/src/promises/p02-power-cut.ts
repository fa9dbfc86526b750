import { startRedis } from '@coordinator/task-testing';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lackingJobs } from '../checker/lacking-jobs.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof, Scene } from '../proof.ts';
import { MountedFolder } from '../stack/mounted-folder.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const CUTS = { pr: 2, nightly: 20 };
const RATE = 150;
const IMAGE_MIB = 256;

type Mode = 'always' | 'everysec';

/** What the power cuts of one mode have cost. */
interface Toll {
  acked: number;
  lost: number;
  /** From the earliest accept that a cut lost to that cut, in milliseconds; the most of all cuts. */
  lostSinceMs: number;
}

/** What is on the disk of Redis at one moment, and nothing else, is what another Redis starts on. */
export const powerCut: Proof = {
  id: 'P2',
  title: 'A 202 is not even lost by a power cut',
  tier: 'nightly',
  target:
    'with appendfsync always every acknowledged job is in the image of the disk at the moment of the cut; with everysec at most those of the last 2 s are not',
  needs: ['root', 'mount'],
  run: async ({ tier, random, start, findings }) => {
    const always = await cutPower('always', { tier, random, start });
    findings.figures.n = always.acked;
    findings.figures.kills = CUTS[tier];
    findings.figures.lost = always.lost;
    findings.expect('lost', always.lost, { is: 0 });
    findings.expect('acknowledged before the last cut', always.acked, { atLeast: 100 });

    const relaxed = await cutPower('everysec', { tier, random, start });
    findings.expect('relaxed mode (everysec): accepts lost go back', relaxed.lostSinceMs, { atMost: 2_000 }, 'ms');
    findings.notes.push(`the relaxed mode lost ${relaxed.lost} of ${relaxed.acked} in ${CUTS[tier]} cuts`);
  },
};

async function cutPower(mode: Mode, { tier, random, start }: Pick<Scene, 'tier' | 'random' | 'start'>): Promise<Toll> {
  const dir = await mkdtemp(join(tmpdir(), 'coordinator-power-'));
  const image = join(dir, 'disk.img');
  await MountedFolder.makeImage(image, IMAGE_MIB);
  const disk = await MountedFolder.ofImage(image);
  let stack: ProvingStack | undefined;
  try {
    const data = join(disk.path, 'redis');
    await mkdir(data);
    stack = await start({ redisDir: data, appendfsync: mode });
    const toll: Toll = { acked: 0, lost: 0, lostSinceMs: 0 };
    for (let cut = 0; cut < CUTS[tier]; cut += 1) {
      const load = Array.from({ length: RATE * 2 }, (_, i) => delivery(`p2-${mode}-${cut}-${i}`));
      const driving = stack.driver.drive(load, { ratePerSecond: RATE });
      await delay(500 + 1_000 * random());
      stack.redis.pause();
      const cutAt = Date.now();
      const copy = join(dir, `cut-${cut}.img`);
      await copyFile(image, copy);
      // Answers that were on their way at the moment of the cut count, too.
      await delay(50);
      const promised = stack.ledger.jobIds;
      stack.redis.resume();
      const missing = new Set(await missingIn(copy, promised));
      await rm(copy);
      await driving;
      const since = stack.driver.answers
        .filter(({ jobIds }) => jobIds.some((id) => missing.has(id)))
        .map(({ endedAt }) => cutAt - endedAt);
      toll.acked = promised.length;
      toll.lost += missing.size;
      toll.lostSinceMs = Math.max(toll.lostSinceMs, ...since);
    }
    return toll;
  } finally {
    await stack?.stop();
    await disk.unmount();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Those of the jobs that a Redis does not know that starts on the disk in this image. */
async function missingIn(image: string, jobIds: readonly string[]): Promise<string[]> {
  const disk = await MountedFolder.ofImage(image);
  try {
    return await lackingJobs(await startRedis({ dir: join(disk.path, 'redis') }), jobIds);
  } finally {
    await disk.unmount();
  }
}
