/** What a handler can do wrong. */
export const misdeeds = [
  'exit',
  'segfault',
  'out-of-heap',
  'out-of-memory',
  'spin',
  'hang',
  'throw-bigint',
  'throw-circular',
  'throw-undefined',
  'permanent',
] as const;

/** See {@link misdeeds}. */
export type Misdeed = (typeof misdeeds)[number];
