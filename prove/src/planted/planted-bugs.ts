import type { PlantedBug } from './planted-bug.ts';

/** The bugs that the proofs have to find. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: '202 before the write',
    promise: 'P1',
    because: /^lost/,
    file: 'libs/tasks/dist/task-queue.js',
    find: 'const receipts = await this.#options.backend.enqueue(prepared.map(({ job }) => job));',
    replace: `this.#options.backend.enqueue(prepared.map(({ job }) => job)).catch(() => undefined);
            const receipts = prepared.map(({ job }) => ({ jobId: job.id, task: job.task, state: 'waiting', duplicate: false }));`,
  },
  {
    name: 'no key for the call of a step',
    promise: 'P4',
    because: /^duplicate effects/,
    file: 'libs/tasks/dist/attempt-context.js',
    find: 'idempotencyKey: `',
    replace: 'idempotencyKey: Math.random() + `',
  },
  {
    name: 'settle without a look at the token',
    promise: 'P5',
    because: /^stale finishes accepted/,
    file: 'libs/tasks/lua/settle.lua',
    find: "if redis.call('HGET', key, 'token') ~= token then",
    replace: 'if false then',
  },
  {
    name: 'nobody takes back the jobs of the dead',
    promise: 'P6',
    because: /wait at their gates/,
    file: 'libs/tasks/dist/task-worker.js',
    find: 'everyQueue((queue) => this.#recover(queue))',
    replace: 'everyQueue(async () => undefined)',
  },
  {
    name: 'each script is loaded once and never again',
    promise: 'P7',
    because: /202|wait at their gates|COORD_QUEUE_UNAVAILABLE|was not accepted|the queue stands at/,
    file: 'libs/tasks/dist/bee-queue/redis-connection.js',
    find: "!error.message.startsWith('NOSCRIPT')",
    // Half a second, because several may find at once that it is missing.
    replace: `!error.message.startsWith('NOSCRIPT') ||
                (globalThis['loaded' + script.name] ??= performance.now() + 500) < performance.now()`,
  },
  {
    name: 'commands wait for Redis in an offline queue',
    promise: 'P9',
    because: /^dead: answers that leave it open/,
    file: 'libs/tasks/dist/bee-queue/redis-connection.js',
    find: 'disableOfflineQueue: true',
    replace: 'disableOfflineQueue: false',
  },
  {
    name: '202 before the write, Redis dead',
    promise: 'P9',
    because: /^dead: answers that are no 503/,
    file: 'libs/tasks/dist/task-queue.js',
    find: 'const receipts = await this.#options.backend.enqueue(prepared.map(({ job }) => job));',
    replace: `this.#options.backend.enqueue(prepared.map(({ job }) => job)).catch(() => undefined);
            const receipts = prepared.map(({ job }) => ({ jobId: job.id, task: job.task, state: 'waiting', duplicate: false }));`,
  },
  {
    name: 'Retry-After is not read',
    promise: 'P18',
    because: /^called too early/,
    file: 'libs/downstream/dist/verdict.js',
    find: 'const retryAfterMs = waitOf(head, judge);',
    replace: 'const retryAfterMs = undefined;',
  },
  {
    name: 'no crash limit',
    promise: 'P19',
    because: /poisonous jobs are not dead letters/,
    file: 'libs/tasks/lua/recover.lua',
    find: 'if crashes >= crash_limit then',
    replace: 'if false then',
  },
  {
    name: 'a draining worker keeps what it has popped',
    promise: 'P22',
    because: /^longest wait of a job/,
    file: 'libs/tasks/dist/bee-queue/reliable-queue.js',
    find: 'await this.#options.backend.release(this.name, id);',
    replace: 'return;',
  },
  {
    name: 'due times by the clock of the process',
    promise: 'P24',
    because: /^delayed jobs off their time/,
    file: 'libs/tasks/dist/bee-queue/redis-backend.js',
    find: 'String(Math.round(job.delayMs))',
    replace: 'String(Math.round(job.delayMs && job.delayMs + Date.now() - performance.timeOrigin - performance.now()))',
  },
  {
    name: 'keys are not looked up',
    promise: 'P25',
    because: /^jobs beyond one per key/,
    file: 'libs/tasks/lua/job.lua',
    find: "local holder = redis.call('GET', root .. 'key:' .. key)",
    replace: 'local holder = false',
  },
];
