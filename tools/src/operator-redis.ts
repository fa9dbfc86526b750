import { coreConfig, readConfig, redisTlsFiles } from '@coordinator/config';
import { silentLogger } from '@coordinator/logging';
import { checkLayout, DEFAULT_KEY_PREFIX, RedisConnection, type Retention } from '@coordinator/tasks';

/** What a command works on that asks Redis itself: it must work when our processes do not. */
export interface OperatorRedis {
  readonly connection: RedisConnection;
  readonly retention: Retention;
}

const PATIENCE_MS = 5_000;

/**
 * Runs `work` on the Redis of REDIS_URL, and closes the connection after it.
 *
 * @throws ConfigError; CoordinatorError COORD_LAYOUT_UNKNOWN; Error when no Redis answers within five seconds
 */
export async function withRedis<T>(work: (redis: OperatorRedis) => Promise<T>): Promise<T> {
  const config = readConfig([coreConfig]);
  const url = config.REDIS_URL.reveal();
  const retention = { completedMs: config.COMPLETED_RETENTION_MS, deadMs: config.DEAD_RETENTION_MS };
  const tls = redisTlsFiles(config);
  const connection = new RedisConnection({ url, tls, log: silentLogger, commandDeadlineMs: PATIENCE_MS });
  try {
    await connectWithin(connection, url);
    return await work({ connection, retention });
  } finally {
    connection.close();
  }
}

async function connectWithin(connection: RedisConnection, url: string): Promise<void> {
  const { host } = new URL(url);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = () => {
      const reason = connection.advice ?? 'Set REDIS_URL to that of the coordinator';
      reject(new Error(`No Redis answers at ${host} within ${PATIENCE_MS / 1_000} s: ${reason}.`));
    };
    timer = setTimeout(giveUp, PATIENCE_MS);
  });
  try {
    await Promise.race([connection.connect(({ run }) => checkLayout(run, DEFAULT_KEY_PREFIX)), late]);
  } finally {
    clearTimeout(timer);
  }
}
