/** One object of Kubernetes, as a manifest holds it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Kinds that Kubernetes does not bring, by the group of their API, and the package that has their schemas. */
const FURTHER_KINDS: Readonly<Record<string, string>> = { 'keda.sh': '@kubernetes-models/keda/keda.sh' };

/**
 * What the schema of its kind finds wrong with a manifest, fields that it does not know included: for these the API server
 * refuses it, or drops them and with them what they were written for.
 */
export function faultsOf(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const [group = '', version] = apiVersion.split('/');
  const models = require(
    version !== undefined && group in FURTHER_KINDS
      ? `${FURTHER_KINDS[group]}/${version}`
      : `kubernetes-models/${apiVersion}`,
  ) as Readonly<Record<string, { readonly prototype: { readonly validate: () => void } } | undefined>>;
  const model = models[kind];
  if (!model) return [`${apiVersion} has no kind ${kind}`];
  const watched = new WatchedObject(manifest);
  const faults: string[] = [];
  try {
    // Not on a model made from the manifest: the validator has to read the manifest itself, so that we see what it reads.
    model.prototype.validate.call(watched.view);
  } catch (error) {
    faults.push((error as Error).message);
  }
  return [...faults, ...watched.unread().map((path) => `${path} is no field that ${kind} knows`)];
}

/**
 * An object that remembers which of its fields are asked for. A compiled schema asks for every field that it knows, and
 * Kubernetes' schemas say nothing about the others; so those that nobody has asked for are the unknown ones.
 */
class WatchedObject {
  readonly view: unknown;
  readonly #value: unknown;
  readonly #asked = new Map<unknown, Set<string | symbol>>();

  constructor(value: unknown) {
    this.#value = value;
    this.view = this.#watch(value);
  }

  /** Paths of the fields that were not asked for. An object of which none was is free-form, such as the data of a ConfigMap. */
  unread(value = this.#value, path = ''): string[] {
    if (typeof value !== 'object' || value === null) return [];
    const asked = this.#asked.get(value);
    if (!asked) return [];
    return Object.entries(value).flatMap(([name, field]) =>
      asked.has(name) ? this.unread(field, `${path}/${name}`) : [`${path}/${name}`],
    );
  }

  #watch(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return new Proxy(value, {
      get: (target, name) => {
        this.#asked.set(target, (this.#asked.get(target) ?? new Set()).add(name));
        return this.#watch(Reflect.get(target, name));
      },
    });
  }
}
