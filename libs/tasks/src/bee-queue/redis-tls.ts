import type { Logger } from '@coordinator/logging';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext, type ConnectionOptions, type SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { RepeatedErrors } from '../repeated-errors.ts';

/** What connections to Redis over TLS (`rediss://`) use; all files are in PEM. */
export interface RedisTlsFiles {
  /** Authorities of the server. Default: those that Node trusts. */
  readonly caFile?: string | undefined;
  /** The certificate that we show. Default: none. */
  readonly certFile?: string | undefined;
  /** Its key. */
  readonly keyFile?: string | undefined;
}

/**
 * How to connect to a `rediss://` address; undefined for another one. Files that change count for connections that are
 * made from then on.
 *
 * @throws Error when a file cannot be read, or is not what it should be
 */
export function redisTls(url: string, files: RedisTlsFiles | undefined, log: Logger): ConnectionOptions | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'rediss:') return undefined;
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    secureContext: new RenewedContext(files ?? {}, log),
    // Proxies find the server by it; an address is no server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // Said so that NODE_TLS_REJECT_UNAUTHORIZED does not say something else.
    rejectUnauthorized: true,
  };
}

/** Clients keep the options of their first connection: so it is the context itself that reads the files again. */
class RenewedContext implements SecureContext {
  readonly #files: RedisTlsFiles;
  readonly #errors: RepeatedErrors;
  #read: ReturnType<typeof readFiles>;
  #latest: SecureContext;

  constructor(files: RedisTlsFiles, log: Logger) {
    this.#files = files;
    this.#errors = new RepeatedErrors((fields, message) => log.warn(fields, message));
    this.#read = readFiles(files);
    this.#latest = createSecureContext(this.#read);
  }

  /** Asked for once by each connection. */
  get context(): unknown {
    try {
      const read = readFiles(this.#files);
      if (!isDeepStrictEqual(read, this.#read)) {
        this.#latest = createSecureContext(read);
        this.#read = read;
      }
    } catch (error) {
      // One of them was written, and the others will follow.
      this.#errors.report(
        error,
        'the TLS files for Redis do not fit together: those that were read before stay in use',
      );
    }
    return this.#latest.context;
  }
}

function readFiles({ caFile, certFile, keyFile }: RedisTlsFiles) {
  const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
  const ca = read(caFile);
  // A file without any authority is no fault to a context, which then trusts nobody.
  if (ca) new X509Certificate(ca);
  return { ca, cert: read(certFile), key: read(keyFile), minVersion: 'TLSv1.2' as const };
}
