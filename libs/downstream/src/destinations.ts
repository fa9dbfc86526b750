import { AsyncLocalStorage } from 'node:async_hooks';

/** The services that an extension says it calls. */
export interface Destinations {
  /** Name of the extension. */
  readonly extension: string;
  /** Their base URLs, by the variable that names each. */
  readonly urls: ReadonlyMap<string, URL>;
}

/** A client leads to a service that its extension has not declared. */
export class DestinationError extends RangeError {
  override readonly name = 'DestinationError';

  constructor({ extension, urls }: Destinations, url: URL) {
    const known = urls.size === 0 ? 'none' : [...urls.keys()].join(', ');
    super(`${extension} calls ${url.origin}, and no serviceUrl() of its config leads there; it has ${known}`);
  }
}

const declared = new AsyncLocalStorage<Destinations>();

/** Runs something in which clients lead to these services and no other. */
export function withDestinations<T>(destinations: Destinations, run: () => T): T {
  return declared.run(destinations, run);
}

/** Where clients that are made here may lead; undefined outside of extensions: anywhere. */
export function currentDestinations(): Destinations | undefined {
  return declared.getStore();
}

/** @throws DestinationError when the service at this address has not been declared */
export function refuseUndeclared(url: URL, destinations: Destinations | undefined): void {
  if (!destinations || [...destinations.urls.values()].some(({ origin }) => origin === url.origin)) return;
  throw new DestinationError(destinations, url);
}
