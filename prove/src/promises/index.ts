import type { Proof } from '../proof.ts';
import { acceptedIsNeverLost } from './p01-accepted-is-never-lost.ts';
import { staleWorker } from './p05-stale-worker.ts';
import { crashRecovery } from './p06-crash-recovery.ts';
import { redisRestart } from './p07-redis-restart.ts';

/** All proofs, in the order of their numbers. */
export const proofs: readonly Proof[] = [acceptedIsNeverLost, staleWorker, crashRecovery, redisRestart];
