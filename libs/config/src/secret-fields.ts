import { commaSeparated, field, FieldFault, type Field } from './field.ts';
import { Secret } from './secret.ts';

/** A secret. Required: there is no sensible default for one. */
export function secret(): Field<Secret> {
  return field((text) => new Secret(text));
}

/**
 * One or more secrets, comma separated, for rotation: all are accepted, the first is the one to sign with.
 * Required, at least one.
 */
export function secretList(): Field<Secret[]> {
  return field((text) => {
    const parts = commaSeparated(text);
    if (parts.length === 0) throw new FieldFault('must hold at least one secret (several: separated by commas)');
    return parts.map((part) => new Secret(part));
  });
}

/** Secrets with the names of their owners. */
export type NamedTokens = readonly (readonly [name: string, secret: Secret])[];

/**
 * Named tokens, `shop=SECRET,other=SECRET2`: who a token belongs to, by name. A name may have several, for rotation. A secret
 * may hold `=` but no comma. An empty name, an empty secret and a secret given twice are faults; the fault names the entry by
 * its place only, because a slip such as a forgotten name would otherwise print the secret.
 */
export function namedTokens(): Field<NamedTokens> {
  return field((text) => {
    const secrets = new Set<string>();
    const tokens = commaSeparated(text).map((entry, index) => {
      const at = entry.indexOf('=');
      const name = entry.slice(0, Math.max(at, 0)).trim();
      const value = entry.slice(at + 1).trim();
      const place = `must be name=secret pairs separated by commas; entry ${index + 1}`;
      if (name === '') throw new FieldFault(`${place} has no name`);
      if (value === '') throw new FieldFault(`${place} has no secret`);
      if (secrets.has(value)) throw new FieldFault(`${place} repeats a secret`);
      secrets.add(value);
      return [name, new Secret(value)] as const;
    });
    if (tokens.length === 0) throw new FieldFault('must hold at least one name=secret pair');
    return tokens;
  });
}
