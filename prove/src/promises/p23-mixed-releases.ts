import { setTimeout as delay } from 'node:timers/promises';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { PlantedTree } from '../planted/planted-tree.ts';
import type { Proof } from '../proof.ts';

const JOBS = 50;
const NEWER = {
  name: 'a newer release',
  file: 'prove/dist/extension/tasks.js',
  find: "name: 'prove.deliver',",
  replace: "name: 'prove.deliver', payloadVersion: 2, upcasters: {},",
};

/** APIs of the next release beside workers of this one, and the other way round. */
export const mixedReleases: Proof = {
  id: 'P23',
  title: 'Mixed releases are safe',
  tier: 'nightly',
  target:
    'jobs of a newer release are parked by older workers, not failed, and run when a matching worker comes; lost 0',
  run: async ({ start, findings }) => {
    const newer = new PlantedTree(NEWER);
    try {
      const stack = await start({ rootOf: { 'api-1': newer.root, 'worker-2': newer.root } });
      const [newerApi, olderApi] = stack.apis;
      const newerWorker = stack.workers[1];
      if (!newerApi || !olderApi || !newerWorker) throw new Error('The stack has no two APIs and workers');
      await newerWorker.terminate();

      stack.driver.avoid(olderApi.url);
      await stack.driver.drive(
        Array.from({ length: JOBS }, (_, i) => delivery(`p23-newer-${i}`)),
        { ratePerSecond: 100 },
      );
      for (const end = Date.now() + 10_000; (await stack.books()).parked < JOBS && Date.now() < end;) await delay(100);
      const parked = await stack.books();
      findings.expect('jobs parked by an older worker', parked.parked, { is: JOBS });
      findings.expect('jobs failed by an older worker', parked.dead, { is: 0 });

      newerWorker.startAgain();
      await newerWorker.ready();
      stack.driver.avoid(newerApi.url);
      stack.driver.admit(olderApi.url);
      await stack.driver.drive(
        Array.from({ length: JOBS }, (_, i) => delivery(`p23-older-${i}`)),
        { ratePerSecond: 100 },
      );
      // Older workers park again what newer ones have unparked: it takes several rounds.
      await settleAccounts(stack, findings, 180_000);
      await stack.stop();
    } finally {
      newer.remove();
    }
  },
};
