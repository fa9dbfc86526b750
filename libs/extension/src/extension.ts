import type { AnyEvent, Subscription } from '@coordinator/events';
import type { Handlers, Schedule, TaskHandler, AnyTask, TaskSet } from '@coordinator/tasks';
import { z } from 'zod';
import type { Fake } from './fake.ts';
import type { Route } from './route.ts';

const noVariables = z.object({});

/** The schema of an extension that reads nothing. */
type NoVariables = typeof noVariables;

/** An integration: its routes, tasks, handlers and events in one place. */
export interface ExtensionDeclaration<
  Tasks extends TaskSet,
  Config extends z.ZodObject = NoVariables,
  RouteConfig extends z.ZodObject = NoVariables,
> {
  /** Lower case with hyphens; also the default queue of its tasks. */
  readonly name: string;
  /**
   * The environment variables of its handlers, which only workers need; every name begins with the extension's name:
   * `OPEN_EDX_LMS_URL`. Its serviceUrl() variables are the services that the extension calls. Default none.
   */
  readonly config?: Config;
  /** The environment variables of its routes, which only the API needs: `STRIPE_WEBHOOK_SECRETS`. Default none. */
  readonly routeConfig?: RouteConfig;
  readonly tasks: Tasks;
  /** Loads the handlers; called by workers only, so that the API never loads them. */
  readonly handlers: (config: z.output<Config>) => Promise<Handlers<Tasks>>;
  readonly routes?: (config: z.output<RouteConfig>) => readonly Route[];
  /** The events that it emits. */
  readonly events?: readonly AnyEvent[];
  readonly subscriptions?: readonly Subscription[];
  /** When its tasks run by themselves. */
  readonly schedules?: readonly Schedule[];
  /** Loads the fake of the service it talks to, for the sandbox. */
  readonly fake?: () => Promise<Fake>;
}

/** A declared extension, with its types forgotten. */
export interface Extension {
  readonly name: string;
  readonly config: z.ZodObject;
  readonly routeConfig: z.ZodObject;
  readonly tasks: Readonly<Record<string, AnyTask>>;
  readonly handlers: (config: unknown) => Promise<Readonly<Record<string, TaskHandler<AnyTask>>>>;
  readonly routes: (config: unknown) => readonly Route[];
  readonly events: readonly AnyEvent[];
  readonly subscriptions: readonly Subscription[];
  readonly schedules: readonly Schedule[];
  readonly fake: (() => Promise<Fake>) | undefined;
}

/**
 * Declares an extension. A task without a handler, a handler without a task and a handler with another payload are
 * compile errors; what types cannot see, the Registry refuses at start-up.
 */
export function defineExtension<
  Tasks extends TaskSet,
  Config extends z.ZodObject = NoVariables,
  RouteConfig extends z.ZodObject = NoVariables,
>(declaration: ExtensionDeclaration<Tasks, Config, RouteConfig>): Extension {
  return {
    config: noVariables,
    routeConfig: noVariables,
    routes: () => [],
    events: [],
    subscriptions: [],
    schedules: [],
    fake: undefined,
    ...declaration,
  } as unknown as Extension;
}
