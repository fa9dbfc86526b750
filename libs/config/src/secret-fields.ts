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

/**
 * Named tokens, `shop=SECRET,other=SECRET2`: who a token belongs to, by name. A secret may hold `=` but no comma.
 * A name given twice, an empty name and an empty secret are faults; the fault names the entry by its place only,
 * because a slip such as a forgotten name would otherwise print the secret.
 */
export function namedTokens(): Field<Map<string, Secret>> {
  return field((text) => {
    const tokens = new Map<string, Secret>();
    commaSeparated(text).forEach((entry, index) => {
      const at = entry.indexOf('=');
      const name = entry.slice(0, Math.max(at, 0)).trim();
      const value = entry.slice(at + 1).trim();
      const place = `must be name=secret pairs separated by commas; entry ${index + 1}`;
      if (name === '') throw new FieldFault(`${place} has no name`);
      if (value === '') throw new FieldFault(`${place} has no secret`);
      if (tokens.has(name)) throw new FieldFault(`${place} repeats a name`);
      tokens.set(name, new Secret(value));
    });
    if (tokens.size === 0) throw new FieldFault('must hold at least one name=secret pair');
    return tokens;
  });
}
