import { z } from 'zod';
import { addressRanges } from './address-fields.ts';
import { adminTokens } from './admin-tokens-field.ts';
import { count, durationMs, LONGEST_TIMER_MS, port } from './number-fields.ts';
import { keySetFile } from './key-set-field.ts';
import { certificateFile, privateKeyFile } from './pem-fields.ts';
import { keyOf, needs } from './rules.ts';
import { namedTokens, secret } from './secret-fields.ts';
import { list, text } from './text-fields.ts';
import { serviceUrl } from './url-fields.ts';

/** What the API reads besides coreConfig. */
export const apiConfig = z.object({
  /** Where the API listens. Default 8080. */
  API_PORT: port(8080),
  /** Address of the network interface that the API listens on. Default all of them. */
  API_HOST: text().optional(),
  /**
   * The hosts that callers may name in the Host header; one without a port stands for all ports. Set it where the API can be reached under names
   * that are not yours. Default any well-formed one.
   */
  API_HOSTS: list().default([]),
  /** Connections at once; further ones are closed as they come. Default 4096. */
  API_MAX_CONNECTIONS: count(4_096),
  /** Requests whose jobs are being written or read at once; further ones are answered 503. Default 1000. */
  API_MAX_IN_FLIGHT: count(1_000),
  /** How late the event loop may be before requests are answered 503. Default 1000. */
  API_MAX_LOOP_LAG_MS: durationMs(1_000),
  /** Bytes of the bodies that are coming in or being worked on, all together; further ones are answered 503. Default 64 MiB. */
  API_MAX_HELD_BYTES: count(67_108_864, 1_048_576),
  /** Requests per second that each caller may send to each API process. Default no limit. */
  API_RATE_PER_SECOND: count().optional(),
  /** How many of them may come at once after a pause. Default API_RATE_PER_SECOND. */
  API_RATE_BURST: needs(count().optional(), 'API_RATE_PER_SECOND'),
  /** The certificate that the API shows, in PEM, with those between it and its authority. Default none: no TLS. */
  API_TLS_CERT_FILE: needs(certificateFile().optional(), 'API_TLS_KEY_FILE'),
  /** Its key, in PEM. */
  API_TLS_KEY_FILE: keyOf(privateKeyFile().optional(), 'API_TLS_KEY_FILE', 'API_TLS_CERT_FILE'),
  /** The authorities that issue the certificates of clients, in PEM. Default none: clients show no certificate. */
  API_TLS_CLIENT_CA_FILE: needs(certificateFile().optional(), 'API_TLS_CERT_FILE'),
  /** Subject alternative names, one of which the certificate of a client must have. Default any. */
  API_TLS_CLIENT_NAMES: needs(list().optional(), 'API_TLS_CLIENT_CA_FILE'),
  /** Where the API answers those who run it: the admin API, probes and metrics. Default 8081. */
  ADMIN_PORT: port(8081),
  /** Bearer tokens of those who run it, `alice=SECRET:read+operate+payload,…`. Required in production. */
  ADMIN_TOKENS: adminTokens().optional(),
  /** Bearer tokens of callers by name, `shop=SECRET,…`; a name may have several. Required in production, unless there is API_JWT_KEYS_FILE. */
  API_TOKENS: namedTokens().optional(),
  /**
   * A JSON Web Key Set with the public keys of the issuer whose JWTs callers may show in place of a token. Default none:
   * no JWT is taken.
   */
  API_JWT_KEYS_FILE: needs(needs(keySetFile().optional(), 'API_JWT_ISSUER'), 'API_JWT_AUDIENCE'),
  /** Who issues them: their `iss`, letter by letter. */
  API_JWT_ISSUER: needs(text().optional(), 'API_JWT_KEYS_FILE'),
  /** Whom they have to be issued for: their `aud`, or one of it. */
  API_JWT_AUDIENCE: needs(text().optional(), 'API_JWT_KEYS_FILE'),
  /** The scope they have to hold: an issuer has other users, too. Default coordinator. */
  API_JWT_SCOPE: needs(text('coordinator'), 'API_JWT_KEYS_FILE'),
  /**
   * How long requests are still served after /readyz has turned to 503, so that load balancers can look away first.
   * Set it above the time that they take to see it. Default 5000 in production, else 0.
   */
  SHUTDOWN_DELAY_MS: durationMs(undefined, 0, LONGEST_TIMER_MS).optional(),
});

/** What a worker reads besides coreConfig. */
export const workerConfig = z.object({
  /** Where a worker answers probes and metrics. Default 8082. */
  WORKER_PORT: port(8082),
  /** The queues this worker takes jobs from. Default none named, which means all. */
  WORKER_QUEUES: list().default([]),
  /** Attempts at once per queue. Default 20. */
  WORKER_CONCURRENCY: count(20),
  /**
   * Ranges of private addresses that names of downstreams may resolve to, such as 10.0.0.0/8. Default: loopback, and none
   * in production. Addresses written in the URL of a downstream need no range.
   */
  DOWNSTREAM_PRIVATE_ADDRESSES: addressRanges().optional(),
  /** How long a job stays claimed without a sign of life from its worker. Default 30000. */
  WORKER_LEASE_MS: durationMs(30_000),
});

/** What the sandbox reads besides coreConfig. */
export const sandboxConfig = z.object({
  /** Where the sandbox listens. Default 8090. */
  SANDBOX_PORT: port(8090),
  /** Base address of the API that webhooks are sent to. Default http://127.0.0.1:<API_PORT>. */
  SANDBOX_API_URL: serviceUrl().optional(),
});

/** What operators' commands read that ask the admin API. */
export const operatorConfig = z.object({
  /** Where an API serves its ADMIN_PORT. Default http://127.0.0.1:8081. */
  COORDINATOR_ADMIN_URL: serviceUrl().default('http://127.0.0.1:8081'),
  /** One of its ADMIN_TOKENS, the secret alone. Default that of `npm start`, where COORDINATOR_ADMIN_URL is not set either. */
  COORDINATOR_ADMIN_TOKEN: secret().optional(),
});
