/** What the processes of the coordinator have in common: how they start, and how they stop. */
export { createHealthServer, type HealthOptions } from './health-server.ts';
export { releaseOf } from './release.ts';
export { runProcess, type ProcessOptions, type ProcessParts } from './run-process.ts';
