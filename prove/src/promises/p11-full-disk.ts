import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import { MountedFolder } from '../stack/mounted-folder.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const DISK = 8 * 1_024 * 1_024;
const BALLAST = 5 * 1_024 * 1_024;
const PADDING = 'x'.repeat(10_000);
const JOBS = 600;

/** The disk of Redis fills up, and is freed. */
export const fullDisk: Proof = {
  id: 'P11',
  title: 'A full disk loses nothing',
  tier: 'nightly',
  target:
    'no 202 without a durable write, lost 0, accepts resume within 10 s after the disk is freed (Redis restarted if it had exited)',
  needs: ['root', 'mount'],
  run: async ({ start, findings }) => {
    const disk = await MountedFolder.inMemory(DISK);
    let stack: ProvingStack | undefined;
    try {
      const data = join(disk.path, 'redis');
      await mkdir(data);
      const ballast = join(disk.path, 'ballast');
      stack = await start({ redisDir: data });
      await writeFile(ballast, Buffer.alloc(BALLAST, 1));
      const sendings = Array.from({ length: JOBS }, (_, i) => {
        const payload = { note: `p11-${i}`, destination: 'main', padding: PADDING };
        return { key: payload.note, body: { task: 'deliver', payload } } as const;
      });
      await stack.driver.drive(sendings, { ratePerSecond: 60, insist: false });
      const refused = stack.driver.answers.filter(({ status }) => status !== 202).length;
      findings.expect('requests refused by the full disk', refused, { atLeast: 1 });

      await rm(ballast);
      const freedAt = Date.now();
      const { exited } = stack.redis;
      const gone = await Promise.race([
        exited.then(() => true),
        new Promise((wake) => setTimeout(() => wake(false), 200)),
      ]);
      if (gone) await stack.redis.restart();
      findings.notes.push(gone ? 'Redis had exited and was restarted' : 'Redis had stayed');
      const { driver } = stack;
      await eventually(
        async () => {
          const { status } = await driver.send(delivery('p11-freed'));
          if (status !== 202) throw new Error(`after the disk was freed the answer is ${status}`);
        },
        { deadlineMs: 30_000, everyMs: 200 },
      );
      findings.recoveriesMs.push(Date.now() - freedAt);
      findings.expect('accepts resumed after', Date.now() - freedAt, { atMost: 10_000 }, 'ms');
      await settleAccounts(stack, findings);
    } finally {
      await stack?.stop();
      await disk.unmount();
    }
  },
};
