import type { Proof } from '../proof.ts';
import { acceptedIsNeverLost } from './p01-accepted-is-never-lost.ts';
import { powerCut } from './p02-power-cut.ts';
import { slowDisk } from './p03-slow-disk.ts';
import { duplicatesAreVisible } from './p04-duplicates-are-visible.ts';
import { staleWorker } from './p05-stale-worker.ts';
import { crashRecovery } from './p06-crash-recovery.ts';
import { redisRestart } from './p07-redis-restart.ts';
import { halfOpen } from './p08-half-open.ts';
import { redisDead } from './p09-redis-dead.ts';
import { fullRedis } from './p10-full-redis.ts';
import { fullDisk } from './p11-full-disk.ts';
import { damagedFile } from './p12-damaged-file.ts';
import { failover } from './p13-failover.ts';
import { deadDownstream } from './p14-dead-downstream.ts';
import { neighbours } from './p15-neighbours.ts';
import { everyCallEnds } from './p16-every-call-ends.ts';
import { noRetryStorm } from './p17-no-retry-storm.ts';
import { retryAfter } from './p18-retry-after.ts';
import { poison } from './p19-poison.ts';
import { unreadableRecords } from './p20-unreadable-records.ts';
import { deadLetters } from './p21-dead-letters.ts';
import { gracefulStop } from './p22-graceful-stop.ts';
import { mixedReleases } from './p23-mixed-releases.ts';
import { clocks } from './p24-clocks.ts';
import { oneKeyOneJob } from './p25-one-key-one-job.ts';
import { repeatedWebhooks } from './p26-repeated-webhooks.ts';
import { lanes } from './p27-lanes.ts';
import { blockedLoop } from './p28-blocked-loop.ts';
import { boundedMemory } from './p29-bounded-memory.ts';
import { telemetryDead } from './p30-telemetry-dead.ts';
import { oneStory } from './p31-one-story.ts';
import { secrets } from './p32-secrets.ts';
import { backup } from './p33-backup.ts';

/** All proofs, in the order of their numbers. */
export const proofs: readonly Proof[] = [
  acceptedIsNeverLost,
  powerCut,
  slowDisk,
  duplicatesAreVisible,
  staleWorker,
  crashRecovery,
  redisRestart,
  halfOpen,
  redisDead,
  fullRedis,
  fullDisk,
  damagedFile,
  failover,
  deadDownstream,
  neighbours,
  everyCallEnds,
  noRetryStorm,
  retryAfter,
  poison,
  unreadableRecords,
  deadLetters,
  gracefulStop,
  mixedReleases,
  clocks,
  oneKeyOneJob,
  repeatedWebhooks,
  lanes,
  blockedLoop,
  boundedMemory,
  telemetryDead,
  oneStory,
  secrets,
  backup,
];
