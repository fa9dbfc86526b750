import type { z } from 'zod';

/** An extension reads a variable that it has not declared. */
export class UndeclaredVariable extends Error {
  override readonly name = 'UndeclaredVariable';
}

const VARIABLE = /^[A-Z][A-Z0-9_]*$/;

/**
 * What an extension has declared to read and nothing else, so that no extension has the secrets of another. Its type says
 * the same; this is for extensions that were not compiled with it.
 *
 * @param where the schema is declared: `config` or `routeConfig`
 */
export function ownConfig(schema: z.ZodObject, config: unknown, where: string): unknown {
  const all = config as Readonly<Record<string, unknown>>;
  const names = Object.keys(schema.shape).filter((name) => name in all);
  const own = Object.freeze(Object.fromEntries(names.map((name) => [name, all[name]])));
  return new Proxy(own, {
    get: (target, name) => {
      if (typeof name === 'string' && VARIABLE.test(name) && !Object.hasOwn(schema.shape, name)) {
        throw new UndeclaredVariable(`it reads ${name}, which its ${where} does not declare`);
      }
      return Reflect.get(target, name) as unknown;
    },
  });
}
