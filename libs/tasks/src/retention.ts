/** How long the records of ended jobs stay. */
export interface Retention {
  /** Of jobs that completed or were cancelled. Default 96 h, as long as idempotency keys are remembered. */
  readonly completedMs: number;
  /** Of dead letters. Default 30 days. */
  readonly deadMs: number;
}

/** The retention that applies when nothing else is set. */
export const defaultRetention: Retention = { completedMs: 96 * 3_600_000, deadMs: 30 * 24 * 3_600_000 };
