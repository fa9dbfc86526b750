import { z } from 'zod';
import { count, durationMs, LONGEST_TIMER_MS } from './number-fields.ts';
import { keyRing } from './key-ring-field.ts';
import { certificateFile, privateKeyFile } from './pem-fields.ts';
import type { Config } from './read-config.ts';
import { keyOf, needs, needsTls } from './rules.ts';
import { list, oneOf, text } from './text-fields.ts';
import { redisUrl } from './url-fields.ts';

/** What every process of the Coordinator reads. */
export const coreConfig = z.object({
  /** 'production' turns on the strict start-up checks; anything else is development. Default 'development'. */
  NODE_ENV: text('development'),
  /** The Redis that keeps the jobs; rediss:// for TLS. Default redis://127.0.0.1:6379. May hold a user and a password. */
  REDIS_URL: redisUrl('redis://127.0.0.1:6379'),
  /** The authorities that issue the certificate of Redis, in PEM. Default: those that Node trusts. */
  REDIS_TLS_CA_FILE: needsTls(certificateFile().optional(), 'REDIS_URL'),
  /** The certificate that we show to Redis, in PEM, with those between it and its authority. Default none. */
  REDIS_TLS_CERT_FILE: needsTls(needs(certificateFile().optional(), 'REDIS_TLS_KEY_FILE'), 'REDIS_URL'),
  /** Its key, in PEM. */
  REDIS_TLS_KEY_FILE: keyOf(privateKeyFile().optional(), 'REDIS_TLS_KEY_FILE', 'REDIS_TLS_CERT_FILE'),
  /**
   * How well Redis has to keep what is accepted: in production, processes do not start on one that does less. Default always;
   * everysec and none are for those who may lose jobs.
   */
  REDIS_PERSISTENCE: oneOf(['always', 'everysec', 'none'], 'always'),
  /**
   * Replicas of Redis that have to confirm a job before it is accepted, so that a failover to one of them does not lose it.
   * Default 0: none.
   */
  REDIS_WAIT_REPLICAS: count(0, 0),
  /**
   * Keys that encrypt payloads at rest, `k2=BASE64,k1=BASE64`: the first one encrypts, all decrypt. Default none: payloads
   * are stored in the clear.
   */
  PAYLOAD_KEYS: keyRing().optional(),
  /** The least severe log level that is written. Default info. */
  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info'),
  /** How long a process may take to finish what it has begun once told to stop. Default 25000. */
  SHUTDOWN_GRACE_MS: durationMs(25_000, 1, LONGEST_TIMER_MS),
  /** Most jobs that may wait in one queue; further ones are refused with 503 COORD_QUEUE_FULL. Default 200000. */
  QUEUE_MAX_DEPTH: count(200_000),
  /** How long records of completed and cancelled jobs stay. Default 345600000, 96 hours. */
  COMPLETED_RETENTION_MS: durationMs(345_600_000),
  /** How long dead letters stay. Default 2592000000, 30 days. */
  DEAD_RETENTION_MS: durationMs(2_592_000_000),
  /** Names of extension packages to load besides those installed in this repository. Default none. */
  COORDINATOR_EXTENSIONS: list().default([]),
});

/** The files with which processes connect to Redis over TLS. */
export function redisTlsFiles(config: Config<[typeof coreConfig]>) {
  const { REDIS_TLS_CA_FILE: caFile, REDIS_TLS_CERT_FILE: certFile, REDIS_TLS_KEY_FILE: keyFile } = config;
  return { caFile, certFile, keyFile };
}
