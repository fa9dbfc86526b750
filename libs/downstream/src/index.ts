/**
 * Calls to the services behind the coordinator: bounded in time, size and number, classified when they fail, and part of
 * the trace of the job that makes them.
 */
export type { AnswerHeaders, DownstreamAnswer } from './downstream-answer.ts';
export type { AuthHeaders, DownstreamAuth, SendTokenRequest, TokenRequest } from './downstream-auth.ts';
export { apiKeyHeader } from './api-key-header.ts';
export { basic } from './basic.ts';
export { bearer } from './bearer.ts';
export { DownstreamClient } from './downstream-client.ts';
export { DestinationError, withDestinations, type Destinations } from './destinations.ts';
export { DownstreamError, type DownstreamErrorDetails } from './downstream-error.ts';
export type { BreakerPolicy } from './protection-policy.ts';
export { readDownstreams, type DownstreamReading } from './downstream-readings.ts';
export type { DownstreamOptions } from './downstream-options.ts';
export type { DownstreamRequest, FormFields, FormValue, DownstreamMethod } from './downstream-request.ts';
export { oauth2ClientCredentials, type OAuth2ClientCredentials } from './oauth2-client-credentials.ts';
export { LOOPBACK_RANGES, shareDownstreams, type SharedDownstreamsOptions } from './share-downstreams.ts';
export { readBaseUrl } from './target.ts';
