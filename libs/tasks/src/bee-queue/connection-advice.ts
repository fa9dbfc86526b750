/** What to do about a connection to Redis that fails, by what the failure says; the first that fits counts. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/, 'its certificate is of an unknown authority: set REDIS_TLS_CA_FILE'],
  [/ALTNAME_INVALID/, 'its certificate is for other names: have REDIS_URL name one of them'],
  [/CERT_(?:HAS_EXPIRED|NOT_YET_VALID)/, 'its certificate has expired, or is not valid yet: renew it'],
  [/WRONG_VERSION|PACKET_LENGTH/, 'it speaks no TLS at this port: use redis:// in REDIS_URL, or the port for TLS'],
  [
    /ALERT_(?:CERTIFICATE|UNKNOWN_CA|BAD_CERTIFICATE|HANDSHAKE|UNSUPPORTED_CERT)/,
    'it does not take our certificate: set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE to one that it takes',
  ],
  [
    /^Connection timeout/,
    'nothing answers: see that address and port in REDIS_URL are right, and that it speaks TLS there',
  ],
  [/WRONGPASS|NOAUTH|ERR AUTH/, 'it does not know the user and password in REDIS_URL'],
];

/**
 * What to do about a connection to Redis that fails; undefined when Redis is just not there.
 *
 * @param again whether the one before failed, too: when one that served is closed, Redis has ended
 */
export function connectionAdvice(error: unknown, again: boolean): string | undefined {
  const { message = '', code = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (again && message.startsWith('Socket closed unexpectedly')) {
    return 'it closes connections: where it speaks TLS, use rediss:// in REDIS_URL';
  }
  return ADVICE.find(([pattern]) => pattern.test(code) || pattern.test(message))?.[1];
}
