import type { Fake, FakeRoute } from '@coordinator/extension';
import { Problem } from './problem.ts';

/** A fake's route that a request is for. */
export interface FoundRoute {
  readonly extension: string;
  readonly route: FakeRoute;
  /** Path below the base URL of the fake. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
}

interface MountedRoute {
  readonly extension: string;
  readonly route: FakeRoute;
  readonly pattern: RegExp;
}

/** All routes of the fakes of a server, each fake mounted at `/<extension name>`. */
export class FakeRoutes {
  readonly #mounted: readonly MountedRoute[];

  constructor(fakes: Readonly<Record<string, Fake>>) {
    this.#mounted = Object.entries(fakes).flatMap(([extension, fake]) =>
      fake.routes.map((route) => ({ extension, route, pattern: patternOf(extension, route.path) })),
    );
  }

  /** Names of all routes. */
  names(): string[] {
    return [...new Set(this.#mounted.map(({ route }) => route.name))];
  }

  /** `GET /lms/courses/:id (lms.course)` of each route. */
  list(): string[] {
    return this.#mounted.map(({ extension, route }) => `${route.method} /${extension}${route.path} (${route.name})`);
  }

  /** The first declared route that fits. @throws Problem 404 (with all routes), 405, or 400 for bad escapes */
  find(method: string, pathname: string): FoundRoute {
    const fitting = this.#mounted.filter(({ pattern }) => pattern.test(pathname));
    const found = fitting.find(({ route }) => route.method === method);
    if (!found) {
      const methods = fitting.map(({ route }) => route.method).join(', ');
      if (methods !== '') throw new Problem(405, `${pathname} takes ${methods}, not ${method}`);
      throw new Problem(404, `No fake has ${method} ${pathname}; the routes are ${this.list().join(', ')}`);
    }
    const { extension, route, pattern } = found;
    const groups = Object.entries(pattern.exec(pathname)?.groups ?? {});
    const params = Object.fromEntries(groups.map(([name, value]) => [name, unescape(value)]));
    return { extension, route, path: pathname.slice(extension.length + 1), params };
  }
}

function patternOf(extension: string, path: string): RegExp {
  const parts = `/${extension}${path}`.split(/(:[A-Za-z]\w*)/);
  const source = parts.map((part, i) =>
    i % 2 === 1 ? `(?<${part.slice(1)}>[^/]+)` : part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
  return new RegExp(`^${source.join('')}$`);
}

function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new Problem(400, `The path part "${value}" has a broken % escape`);
  }
}
