import { DestinationError, withDestinations } from '@coordinator/downstream';
import { createEventRouting } from '@coordinator/events';
import { TaskCatalog, type AnyTask, type EventRouting, type Schedule, type TaskHandler } from '@coordinator/tasks';
import { looseEnds } from './body-schema.ts';
import { readDestinations } from './destinations.ts';
import type { Extension } from './extension.ts';
import { ownConfig, UndeclaredVariable } from './own-config.ts';
import type { Route } from './route.ts';
import { personalDataFaults } from './personal-data-faults.ts';
import { scheduleFaults } from './schedule-faults.ts';

/** The installed extensions do not fit together; `faults` holds all that is wrong. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The installed extensions do not fit together:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

const NAME = /^[a-z][a-z0-9-]*$/;
/** Routes are looked up by their path as it is sent, so there is one way to write it and nothing in it to match. */
const PATH = /^(\/[a-z0-9._~-]+)+$/i;

/** The installed extensions as one whole; API, worker and sandbox all start from it. */
export class Registry {
  readonly extensions: readonly Extension[];
  readonly catalog: TaskCatalog;
  readonly routeEvent: EventRouting;
  readonly schedules: readonly Schedule[];

  /** @throws RegistryError with all faults at once */
  constructor(extensions: readonly Extension[]) {
    const faults = faultsOf(extensions);
    if (faults.length > 0) throw new RegistryError(faults);
    this.extensions = extensions;
    this.catalog = new TaskCatalog(
      extensions.flatMap(({ name, tasks }) =>
        Object.values(tasks).map((task) => ({ task, queue: task.queue ?? name })),
      ),
    );
    this.schedules = extensions.flatMap((extension) => extension.schedules);
    this.routeEvent = createEventRouting(
      extensions.flatMap((extension) => extension.events),
      extensions.flatMap((extension) => extension.subscriptions),
    );
  }

  /**
   * The routes of all extensions, each with the name of its extension.
   *
   * @param config the values of the extensions' `routeConfig`
   * @throws RegistryError for a variable that is not declared, a path that is used twice or is no plain path, a route without authentication, and a body
   *   whose schema has no bounds
   */
  routes(config: unknown): { readonly extension: string; readonly route: Route }[] {
    const undeclared: string[] = [];
    const routes = this.extensions.flatMap((extension) => {
      const { name, routeConfig } = extension;
      try {
        const own = extension.routes(ownConfig(routeConfig, config, 'routeConfig'));
        return own.map((route) => ({ extension: name, route }));
      } catch (error) {
        undeclared.push(undeclaredFault(name, error));
        return [];
      }
    });
    const faults = [
      ...undeclared,
      ...repeated(routes.map(({ route }) => route.path)).map((path) => `two routes have the path ${path}`),
      ...routes.flatMap(({ extension, route }) => routeFaults(route).map((fault) => `${extension}: ${fault}`)),
    ];
    if (faults.length > 0) throw new RegistryError(faults);
    return routes;
  }

  /**
   * Loads the handlers of all extensions.
   *
   * @param config the values of the extensions' `config`
   * @throws ConfigError for a service at an address that is never called; RegistryError for a task without a handler, or
   *   the reverse, for a service that is not declared and for a variable that is not
   */
  async loadHandlers(config: unknown): Promise<(taskName: string) => TaskHandler<AnyTask>> {
    const byTask = new Map<string, TaskHandler<AnyTask>>();
    const faults: string[] = [];
    for (const [extension, destinations] of readDestinations(this.extensions, config)) {
      const own = ownConfig(extension.config, config, 'config');
      const handlers = await withDestinations(destinations, async () => extension.handlers(own)).catch(
        (error: unknown) => void faults.push(undeclaredFault(extension.name, error)),
      );
      if (!handlers) continue;
      for (const [key, task] of Object.entries(extension.tasks)) {
        const handler = handlers[key];
        if (typeof handler === 'function') {
          // A client may be made as late as in an attempt.
          byTask.set(task.name, (payload, context) => withDestinations(destinations, () => handler(payload, context)));
        } else faults.push(`${extension.name}: the task "${task.name}" has no handler "${key}"`);
      }
      for (const key of Object.keys(handlers)) {
        if (!(key in extension.tasks)) faults.push(`${extension.name}: the handler "${key}" has no task`);
      }
    }
    if (faults.length > 0) throw new RegistryError(faults);
    return (taskName) => byTask.get(taskName) as TaskHandler<AnyTask>;
  }
}

function faultsOf(extensions: readonly Extension[]): string[] {
  const tasks = extensions.flatMap((extension) => Object.values(extension.tasks).map((task) => task.name));
  const events = new Set(extensions.flatMap((extension) => extension.events.map((event) => event.name)));
  return [
    ...extensions
      .filter(({ name }) => !NAME.test(name))
      .map(({ name }) => `the extension name "${name}" is not lower case letters, digits and hyphens`),
    ...repeated(extensions.map(({ name }) => name)).map((name) => `two extensions have the name "${name}"`),
    ...repeated(tasks).map((name) => `two tasks have the name "${name}"`),
    ...extensions.flatMap(({ name, config, routeConfig }) =>
      [...new Set([...Object.keys(config.shape), ...Object.keys(routeConfig.shape)])]
        .filter((variable) => !variable.startsWith(environmentPrefix(name)))
        .map((variable) => `${name}: the variable ${variable} must begin with ${environmentPrefix(name)}`),
    ),
    ...extensions.flatMap(({ name, subscriptions, tasks: own }) =>
      subscriptions.flatMap(({ event, task }) => [
        ...(events.has(event.name) ? [] : [`${name}: no installed extension emits the event "${event.name}"`]),
        ...(subscriptions.filter((other) => other.event === event && other.task === task).length > 1
          ? [`${name}: it subscribes "${task.name}" to "${event.name}" twice, which would make one job only`]
          : []),
        ...(Object.values(own).includes(task)
          ? []
          : [`${name}: it subscribes "${task.name}", which it does not declare`]),
      ]),
    ),
    ...repeated(extensions.flatMap(({ schedules }) => schedules.map(({ name }) => name))).map(
      (name) => `two schedules have the name "${name}"`,
    ),
    ...extensions.flatMap(scheduleFaults),
    ...extensions.flatMap(personalDataFaults),
  ];
}

function routeFaults({ path, auth, body, maxBytes }: Route): string[] {
  // The types refuse a route without authentication; this is for extensions that were not compiled with them.
  const declared = auth as Partial<Route['auth']> | undefined;
  const scheme = declared?.scheme;
  const verifies = declared !== undefined && 'verify' in declared && typeof declared.verify === 'function';
  return [
    ...(PATH.test(path) ? [] : [`the path ${path} is not made of plain words: a route has no parameters`]),
    ...(scheme === 'bearer' || (scheme === 'signature' && verifies)
      ? []
      : [`the route ${path} declares no authentication`]),
    // Nothing is larger than what is no number.
    ...(Number.isSafeInteger(maxBytes) && maxBytes > 0
      ? []
      : [`the route ${path} takes a body of ${maxBytes} bytes: maxBytes is a whole number from 1`]),
    ...looseEnds(body, { undeclared: scheme === 'signature' }).map((end) => `the body of ${path}: ${end}`),
  ];
}

/** @throws whatever else was thrown: a mistake in the extension's own code */
function undeclaredFault(extension: string, error: unknown): string {
  if (error instanceof UndeclaredVariable) return `${extension}: ${error.message}`;
  if (error instanceof DestinationError) return error.message;
  throw error;
}

/** What the environment variables of an extension begin with: `OPEN_EDX_LMS_`. */
function environmentPrefix(extensionName: string): string {
  return `${extensionName.toUpperCase().replaceAll('-', '_')}_`;
}

function repeated(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))];
}
