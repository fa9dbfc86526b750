/** A promise as it is written down. */
export interface ListedPromise {
  readonly id: string;
  readonly title: string;
}

/** All promises. */
export const promiseList: readonly ListedPromise[] = [
  { id: 'P1', title: 'A 202 is never lost' },
  { id: 'P2', title: 'A 202 is not even lost by a power cut' },
  { id: 'P3', title: 'A 202 is not lost on a slow disk' },
  { id: 'P4', title: 'Duplicate starts are bounded and visible' },
  { id: 'P5', title: 'A stale worker cannot change a job' },
  { id: 'P6', title: 'Crash recovery is fast' },
  { id: 'P7', title: 'A restart of Redis needs no restart of ours' },
  { id: 'P8', title: 'Half-open connections heal' },
  { id: 'P9', title: 'Redis dead: fast, honest refusal' },
  { id: 'P10', title: 'A full Redis drains itself' },
  { id: 'P11', title: 'A full disk loses nothing' },
  { id: 'P12', title: 'A damaged append-only file never means silent loss' },
  { id: 'P13', title: 'The bound of a failover is stated' },
  { id: 'P14', title: 'A dead downstream does not slow the API' },
  { id: 'P15', title: 'A dead downstream does not slow its neighbours' },
  { id: 'P16', title: 'Every call ends' },
  { id: 'P17', title: 'No retry storm' },
  { id: 'P18', title: 'Retry-After is obeyed' },
  { id: 'P19', title: 'Poison is quarantined' },
  { id: 'P20', title: 'Unreadable records never crash or loop' },
  { id: 'P21', title: 'Dead letters are never lost' },
  { id: 'P22', title: 'A graceful stop loses nothing' },
  { id: 'P23', title: 'Mixed releases are safe' },
  { id: 'P24', title: 'Clocks do not matter' },
  { id: 'P25', title: 'One key, one job' },
  { id: 'P26', title: 'Repeated webhooks do nothing' },
  { id: 'P27', title: 'Jobs of a lane keep their order' },
  { id: 'P28', title: 'A blocked event loop is seen, not doubled' },
  { id: 'P29', title: 'Memory and keys are bounded' },
  { id: 'P30', title: 'Telemetry can die' },
  { id: 'P31', title: 'Every job tells one story' },
  { id: 'P32', title: 'Secrets and personal data stay put' },
  { id: 'P33', title: 'A backup restores' },
];
