import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Field } from './field.ts';

/** What a variable must be to others: completes the sentence "X …", or is undefined when all is well. */
export type Rule = (texts: ReadonlyMap<string, string>) => string | undefined;

/** By field and not by schema, so that a schema may be picked from. */
const rules = new WeakMap<object, Rule[]>();

/** The rules of a field that was declared with some. */
export function rulesOf(field: object): readonly Rule[] {
  return rules.get(field) ?? [];
}

/** The field, which makes no sense without another variable. */
export function needs<T>(field: Field<T>, other: string): Field<T> {
  return withRule(field, (texts) => (texts.has(other) ? undefined : `needs ${other} beside it`));
}

/** The field, which makes no sense unless another variable is an address of Redis over TLS. */
export function needsTls<T>(field: Field<T>, other: string): Field<T> {
  return withRule(field, (texts) =>
    texts.get(other)?.trim().startsWith('rediss:') ? undefined : `needs a rediss:// address in ${other}`,
  );
}

/** The field of a key file, whose key belongs to the first certificate that another variable names. */
export function keyOf(field: Field<string | undefined>, name: string, certificate: string): typeof field {
  return withRule(needs(field, certificate), (texts) => {
    const [keyFile, certificateFile] = [texts.get(name)?.trim(), texts.get(certificate)?.trim()];
    if (keyFile === undefined || certificateFile === undefined) return undefined;
    try {
      const key = createPrivateKey(readFileSync(keyFile));
      const fits = new X509Certificate(readFileSync(certificateFile)).checkPrivateKey(key);
      return fits ? undefined : `is not the key of the certificate that ${certificate} names`;
    } catch {
      // One of them is none: its own field says so.
      return undefined;
    }
  });
}

function withRule<T>(field: Field<T>, rule: Rule): Field<T> {
  rules.set(field, [...rulesOf(field), rule]);
  return field;
}
