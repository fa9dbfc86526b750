import { ConfigError, type AdminToken, type NamedTokens } from '@coordinator/config';

/** What is read of the environment. */
export interface TokenSettings {
  readonly NODE_ENV: string;
  readonly API_TOKENS?: NamedTokens | undefined;
  /** Callers may show JWTs instead. */
  readonly API_JWT_KEYS_FILE?: string | undefined;
  readonly ADMIN_TOKENS?: ReadonlyMap<string, AdminToken> | undefined;
}

/**
 * The tokens of callers and of those who run this. In development nobody may call `/v1` or `/admin` until they are set; in
 * production that is a fault.
 *
 * @throws ConfigError with all faults at once
 */
export function checkedTokens({ NODE_ENV, API_TOKENS, API_JWT_KEYS_FILE, ADMIN_TOKENS }: TokenSettings) {
  const tokens = API_TOKENS ?? [];
  const adminTokens = ADMIN_TOKENS ?? new Map<string, AdminToken>();
  const faults: string[] = [];
  if (NODE_ENV === 'production' && !API_TOKENS && !API_JWT_KEYS_FILE) {
    faults.push(
      'API_TOKENS: set it to the callers and their tokens, for example shop=SECRET, or set API_JWT_KEYS_FILE',
    );
  }
  if (NODE_ENV === 'production' && !ADMIN_TOKENS) {
    faults.push(
      'ADMIN_TOKENS: set it to those who run this, with what each may do, for example alice=SECRET:read+operate',
    );
  }
  const secrets = new Set(tokens.map(([, token]) => token.reveal()));
  for (const [name, { secret }] of adminTokens) {
    if (!secrets.has(secret.reveal())) continue;
    faults.push(`ADMIN_TOKENS: the secret of ${name} stands in API_TOKENS as well: give ${name} another one`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { tokens, adminTokens };
}
