import { CoordinatorError } from './error-codes.ts';
import type { AnyTask } from './task.ts';
import { oldestReadable } from './upcaster.ts';

/** A task and the queue that its jobs go to. */
export interface InstalledTask {
  readonly task: AnyTask;
  readonly queue: string;
}

/** The tasks that this process knows, by name. */
export class TaskCatalog {
  readonly #byName: ReadonlyMap<string, InstalledTask>;

  constructor(installed: Iterable<InstalledTask>) {
    this.#byName = new Map(Array.from(installed, (entry) => [entry.task.name, entry]));
  }

  /** The installed task with this name, if any. */
  find(name: string): InstalledTask | undefined {
    return this.#byName.get(name);
  }

  /** The installed task with this name. @throws CoordinatorError COORD_TASK_UNKNOWN */
  get(name: string): InstalledTask {
    const entry = this.#byName.get(name);
    if (!entry) {
      throw new CoordinatorError('COORD_TASK_UNKNOWN', `No installed extension has the task "${name}"`);
    }
    return entry;
  }

  /** The names of all queues. */
  queues(): string[] {
    return [...new Set(Array.from(this.#byName.values(), (entry) => entry.queue))].sort();
  }

  /**
   * What is readable here, as `task@oldest-newest payloadVersion`; whatever the queue, for a task may have moved to
   * another.
   */
  readable(): string[] {
    return Array.from(
      this.#byName.values(),
      ({ task }) => `${task.name}@${oldestReadable(task)}-${task.payloadVersion}`,
    );
  }
}
