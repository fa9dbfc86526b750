/** How a {@link ProvingStack} is made. */
export interface ProvingStackOptions {
  /** Folder that holds apps/ and libs/ as they were built. Default: this repository. */
  readonly root?: string;
  /** Another {@link root} by the name of the process: `worker-2`. Default none. */
  readonly rootOf?: Readonly<Record<string, string>>;
  /** Default 2. */
  readonly apis?: number;
  /** Default 2. */
  readonly workers?: number;
  /** Attempts at once per worker. Default 10. */
  readonly concurrency?: number;
  /** Default 3 000. */
  readonly leaseMs?: number;
  /** Whether our processes reach Redis through a proxy that can misbehave. Default false. */
  readonly proxied?: boolean;
  /** A Redis that somebody else starts and stops, and that is neither killed nor proxied here. Default: one of its own. */
  readonly redisUrl?: string;
  /** Further arguments of redis-server. Default none. */
  readonly redisArgs?: readonly string[];
  /** How soon Redis writes to disk. Default `always`. */
  readonly appendfsync?: 'always' | 'everysec';
  /** Folder for the data of Redis. Default: a temporary one. */
  readonly redisDir?: string;
  /** Further settings of APIs and workers. Default none. */
  readonly env?: NodeJS.ProcessEnv;
  /** Further settings by the name of the process: `worker-2`. Default none. */
  readonly envOf?: Readonly<Record<string, NodeJS.ProcessEnv>>;
  /** File or pipe that takes what a process prints, by its name; the log of the stack has none of it. Default none. */
  readonly outputOf?: Readonly<Record<string, string>>;
  /** File that takes the id of a process before it starts, by its name: that of a MemoryGroup. Default none. */
  readonly groupOf?: Readonly<Record<string, string>>;
}

/** The token that the driver shows. */
export const TOKEN = 'prove-token';

/** The token of an operator, who may do everything. */
export const ADMIN_TOKEN = 'prove-admin-token';

/** The token of somebody who may look, but not at payloads. */
export const READER_TOKEN = 'prove-reader-token';

/** Signs the webhooks of the driver. */
export const WEBHOOK_SECRET = 'prove-webhook-secret';

/** The queue of all jobs of a run. */
export const QUEUE = 'prove';

/** The queue of jobs that are to touch no others; workers take them where they are told to. */
export const QUEUE_ASIDE = 'prove-aside';
