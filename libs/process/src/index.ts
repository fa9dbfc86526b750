/** What the processes of the coordinator have in common: how they start, and how they stop. */
export { keepFresh, type FreshFilesOptions } from './fresh-files.ts';
export { createHealthServer, type HealthOptions } from './health-server.ts';
export { createHttpServer, MAX_HEADERS, SECURITY_HEADERS, type HttpServerOptions } from './http-server.ts';
export { releaseOf } from './release.ts';
export type { TlsSettings } from './tls-server.ts';
export { runProcess, type ProcessOptions, type ProcessParts } from './run-process.ts';
