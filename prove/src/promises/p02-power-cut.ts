import { startRedis } from '@coordinator/task-testing';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { lackingJobs } from '../checker/lacking-jobs.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import { MountedFolder } from '../stack/mounted-folder.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const CUTS = { pr: 2, nightly: 20 };
const RATE = 150;
const IMAGE_MIB = 256;

/** What is on the disk of Redis at one moment, and nothing else, is what another Redis starts on. */
export const powerCut: Proof = {
  id: 'P2',
  title: 'A 202 is not even lost by a power cut',
  tier: 'nightly',
  target: 'with appendfsync always every acknowledged job is in the image of the disk at the moment of the cut',
  needs: ['root', 'mount'],
  run: async ({ tier, random, start, findings }) => {
    const dir = await mkdtemp(join(tmpdir(), 'coordinator-power-'));
    const image = join(dir, 'disk.img');
    await MountedFolder.makeImage(image, IMAGE_MIB);
    const disk = await MountedFolder.ofImage(image);
    let stack: ProvingStack | undefined;
    try {
      const data = join(disk.path, 'redis');
      await mkdir(data);
      stack = await start({ redisDir: data });
      let lost = 0;
      let acked = 0;
      for (let cut = 0; cut < CUTS[tier]; cut += 1) {
        const load = Array.from({ length: RATE * 2 }, (_, i) => delivery(`p2-${cut}-${i}`));
        const driving = stack.driver.drive(load, { ratePerSecond: RATE });
        await delay(500 + 1_000 * random());
        stack.redis.pause();
        const copy = join(dir, `cut-${cut}.img`);
        await copyFile(image, copy);
        // Answers that were on their way at the moment of the cut count, too.
        await delay(50);
        const promised = stack.ledger.jobIds;
        stack.redis.resume();
        acked = promised.length;
        lost += await missingIn(copy, promised);
        await rm(copy);
        await driving;
      }
      findings.figures.n = acked;
      findings.figures.kills = CUTS[tier];
      findings.figures.lost = lost;
      findings.expect('lost', lost, { is: 0 });
      findings.expect('acknowledged before the last cut', acked, { atLeast: 100 });
      findings.notes.push('the relaxed mode (everysec) was not measured');
    } finally {
      await stack?.stop();
      await disk.unmount();
      await rm(dir, { recursive: true, force: true });
    }
  },
};

/** How many of the jobs a Redis does not know that starts on the disk in this image. */
async function missingIn(image: string, jobIds: readonly string[]): Promise<number> {
  const disk = await MountedFolder.ofImage(image);
  try {
    return await lackingJobs(await startRedis({ dir: join(disk.path, 'redis') }), jobIds);
  } finally {
    await disk.unmount();
  }
}
