/** The options of a command line that say which dead letters are meant; what is not said fits all. */
export const FILTER_OPTIONS = {
  queue: { type: 'string' },
  task: { type: 'string' },
  outcome: { type: 'string' },
  code: { type: 'string' },
  limit: { type: 'string' },
} as const;

/** @throws Error for what is no count */
export function readLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--limit is a number from 1 on, and not "${text}".`);
  return Number(text);
}
