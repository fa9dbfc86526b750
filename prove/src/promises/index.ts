import type { Proof } from '../proof.ts';
import { acceptedIsNeverLost } from './p01-accepted-is-never-lost.ts';
import { duplicatesAreVisible } from './p04-duplicates-are-visible.ts';
import { staleWorker } from './p05-stale-worker.ts';
import { crashRecovery } from './p06-crash-recovery.ts';
import { redisRestart } from './p07-redis-restart.ts';
import { halfOpen } from './p08-half-open.ts';
import { redisDead } from './p09-redis-dead.ts';
import { fullRedis } from './p10-full-redis.ts';
import { deadDownstream } from './p14-dead-downstream.ts';
import { neighbours } from './p15-neighbours.ts';
import { everyCallEnds } from './p16-every-call-ends.ts';
import { noRetryStorm } from './p17-no-retry-storm.ts';
import { retryAfter } from './p18-retry-after.ts';
import { poison } from './p19-poison.ts';
import { unreadableRecords } from './p20-unreadable-records.ts';
import { gracefulStop } from './p22-graceful-stop.ts';
import { clocks } from './p24-clocks.ts';
import { oneKeyOneJob } from './p25-one-key-one-job.ts';
import { repeatedWebhooks } from './p26-repeated-webhooks.ts';
import { blockedLoop } from './p28-blocked-loop.ts';
import { telemetryDead } from './p30-telemetry-dead.ts';
import { backup } from './p33-backup.ts';

/** All proofs, in the order of their numbers. */
export const proofs: readonly Proof[] = [
  acceptedIsNeverLost,
  duplicatesAreVisible,
  staleWorker,
  crashRecovery,
  redisRestart,
  halfOpen,
  redisDead,
  fullRedis,
  deadDownstream,
  neighbours,
  everyCallEnds,
  noRetryStorm,
  retryAfter,
  poison,
  unreadableRecords,
  gracefulStop,
  clocks,
  oneKeyOneJob,
  repeatedWebhooks,
  blockedLoop,
  telemetryDead,
  backup,
];
