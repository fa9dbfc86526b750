import { commaSeparated, field, FieldFault, type Field } from './field.ts';
import { Secret } from './secret.ts';

/**
 * What the token of a person may do: `read` shows jobs and how things stand, `operate` changes them, `payload` shows what
 * jobs hold. None includes another.
 */
export const ADMIN_SCOPES = ['read', 'operate', 'payload'] as const;

/** One of {@link ADMIN_SCOPES}. */
export type AdminScope = (typeof ADMIN_SCOPES)[number];

/** The token of a person or a program that runs the Coordinator. */
export interface AdminToken {
  readonly secret: Secret;
  readonly scopes: ReadonlySet<AdminScope>;
}

const SHAPE = 'must be name=secret:scope+scope entries separated by commas';

/**
 * Tokens of those who run the Coordinator, `alice=SECRET:read+operate,bob=SECRET2:read`: by name, with what each may do. A
 * secret may hold `=` and `:` but no comma. All faults are told at once, each by the place of its entry only, because a
 * slip would otherwise print a secret.
 */
export function adminTokens(): Field<Map<string, AdminToken>> {
  return field((text) => {
    const tokens = new Map<string, AdminToken>();
    const secrets = new Set<string>();
    const faults = commaSeparated(text).flatMap((entry, index) => {
      const [, name = '', secret = '', scopes = ''] = /^([^=]*)=(.*?)(?::([^:]*))?$/s.exec(entry) ?? [];
      const faultsHere = faultsOf(name.trim(), secret, scopes.split('+'));
      if (tokens.has(name.trim())) faultsHere.push('repeats a name');
      if (secret !== '' && secrets.has(secret)) faultsHere.push('repeats a secret');
      secrets.add(secret);
      tokens.set(name.trim(), { secret: new Secret(secret), scopes: new Set(scopes.split('+') as AdminScope[]) });
      return faultsHere.map((fault) => `entry ${index + 1} ${fault}`);
    });
    if (tokens.size === 0) throw new FieldFault(SHAPE);
    if (faults.length > 0) throw new FieldFault(`${SHAPE}; ${faults.join(', ')}`);
    return tokens;
  });
}

/** The name is written down with all that the token does, for years. */
const NAME = /^[\w.@-]{1,64}$/;

function faultsOf(name: string, secret: string, scopes: readonly string[]): string[] {
  const known: readonly string[] = ADMIN_SCOPES;
  return [
    ...(name === '' ? ['has no name'] : NAME.test(name) ? [] : ['has a name with other signs than A-Z, 0-9 and _.@-']),
    ...(/^[\x21-\x7e]+$/.test(secret) ? [] : ['has no secret of printable ASCII characters']),
    ...(scopes.every((scope) => known.includes(scope)) ? [] : [`has a scope that is none of ${known.join(', ')}`]),
  ];
}
