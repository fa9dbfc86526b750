/** How many jobs every worker of the benchmark runs at once. */
export const CONCURRENCY = 20;
