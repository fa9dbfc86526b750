import type { PlantedBug } from './planted-bug.ts';

/** Bugs of what stands between a job and the service that it calls. */
export const downstreamBugs: readonly PlantedBug[] = [
  {
    name: 'Retry-After is not read',
    promise: 'P18',
    because: /^called too early/,
    file: 'libs/downstream/dist/verdict.js',
    find: 'const retryAfterMs = waitOf(head, judge);',
    replace: 'const retryAfterMs = undefined;',
  },
  {
    name: 'each accept reads all jobs that wait for their downstream',
    promise: 'P14',
    because: /^accept p99 with a dead downstream|^answers other than 202/,
    file: 'libs/tasks/lua/job.lua',
    find: "redis.call('ZCARD', queue_key(queue, 'delayed'))",
    replace: `(function()
      local many = 0
      for _ = 1, 1000 do
        many = #redis.call('ZRANGE', queue_key(queue, 'delayed'), 0, -1)
      end
      return many
    end)()`,
  },
  {
    name: 'a downstream takes all slots of a worker',
    promise: 'P15',
    because: /of the neighbours/,
    file: 'apps/coordinator-worker/dist/main.js',
    find: 'Math.ceil(config.WORKER_CONCURRENCY / 2)',
    replace: '1_000',
  },
  {
    name: 'circuit breakers do not open',
    promise: 'P17',
    because: /calls meanwhile|^attempts spent/,
    file: 'libs/downstream/lua/report.lua',
    find: "if failed >= failures and failed >= share * (failed + recent('successes')) then",
    replace: 'if false then',
  },
  {
    name: 'a service that names a time is well',
    promise: 'P17',
    because: /^circuit breakers in the wrong state/,
    file: 'libs/downstream/dist/call-outcome.js',
    find: "return error.status === 429 ? 'success' : 'failure';",
    replace: "return 'success';",
  },
  {
    name: 'a rate limit that names no time asks for no pause',
    promise: 'P17',
    because: /^busy(-now)?: calls meanwhile/,
    file: 'libs/downstream/dist/call-outcome.js',
    find: 'error.retryAfterMs ?? 0',
    replace: 'error.retryAfterMs',
  },
  {
    name: 'Retry-After: 0 is a time',
    promise: 'P18',
    because: /^due too late/,
    file: 'libs/downstream/dist/retry-after.js',
    find: 'return inFuture(Number(value) * 1_000);',
    replace: 'return Number(value) * 1_000;',
  },
  {
    name: 'calls take three times their deadline',
    promise: 'P16',
    because: /longest call/,
    file: 'libs/downstream/dist/deadline.js',
    find: 'this.#abort.abort(Deadline.timedOut), timeoutMs)',
    replace: 'this.#abort.abort(Deadline.timedOut), 3 * timeoutMs)',
  },
  {
    name: 'calls carry no trace',
    promise: 'P31',
    because: /^calls outside the trace/,
    file: 'libs/downstream/dist/downstream-client.js',
    find: '...(0, tracing_1.injectTraceContext)(), ',
    replace: '',
  },
];
