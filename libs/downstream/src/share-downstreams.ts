import type { Logger } from '@coordinator/logging';
import { observeBreakers } from '@coordinator/tracing';
import { readRanges, type AddressRange } from './address.ts';
import { RedisDownstreams, type RedisDownstreamsOptions } from './redis-downstreams.ts';

/** What the clients of a process have in common. */
export interface SharedDownstreamsOptions extends RedisDownstreamsOptions {
  /** Connections of a client to one host where its options name no number. Default 20. */
  readonly maxConnections?: number;
  /** Ranges of private addresses, `10.0.0.0/8`, that names of downstreams may resolve to. Default: those of loopback. */
  readonly privateAddresses?: readonly string[];
}

/** What a client finds out about its process when it makes a call. */
export interface ProcessDownstreams {
  /** Undefined: nothing is shared, and no call is held back but for want of a connection. */
  readonly redis: RedisDownstreams | undefined;
  readonly maxConnections: number;
  readonly privateAddresses: readonly AddressRange[];
  /** Undefined: nothing is logged. */
  readonly log: Logger | undefined;
}

/** Those of loopback: a coordinator on a developer's machine calls its sandbox. */
export const LOOPBACK_RANGES = ['127.0.0.0/8', '::1/128'] as const;

const alone: ProcessDownstreams = {
  redis: undefined,
  log: undefined,
  maxConnections: 20,
  privateAddresses: readRanges(LOOPBACK_RANGES),
};
let ofThisProcess = alone;

/**
 * Has all clients of this process share the state of their downstreams with other processes. Called once, by the main
 * module of a worker: handlers make their clients themselves and know nothing of it.
 *
 * @returns stops the sharing
 * @throws RangeError when a range is none
 */
export function shareDownstreams({
  maxConnections = alone.maxConnections,
  privateAddresses = LOOPBACK_RANGES,
  ...options
}: SharedDownstreamsOptions): () => void {
  const redis = new RedisDownstreams(options);
  ofThisProcess = { redis, log: options.log, maxConnections, privateAddresses: readRanges(privateAddresses) };
  const unobserve = observeBreakers(() => redis.readBreakers());
  return () => {
    unobserve();
    redis.stop();
    ofThisProcess = alone;
  };
}

/** See {@link ProcessDownstreams}. */
export function processDownstreams(): ProcessDownstreams {
  return ofThisProcess;
}
