import { hasEnded, type Model } from './job-model.ts';
import { CRASH_LIMIT, type Engine } from './engine.ts';

interface Observed {
  readonly id: string;
  readonly state: string;
  readonly attempt: number;
  readonly token: string;
  readonly suspect: boolean;
  readonly crashed: number;
  readonly payload: boolean;
}

const OBSERVE = `
local all = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. 'job:*')) do
  local job = redis.call('HMGET', key, 'state', 'attempt', 'token', 'suspect', 'crashed', 'payload')
  all[#all + 1] = { string.sub(key, #ARGV[1] + 5), job[1] or '', job[2] or '', job[3] or '', job[4] or '',
    job[5] or '0', job[6] or '' }
end
return all`;

/** Compares the engine with the model, and with the rules that hold whatever has happened. @throws Error that names the rule */
export async function checkInvariants(model: Model, engine: Engine): Promise<void> {
  const [report, jobs] = await Promise.all([engine.audit(false), observe(engine)]);
  if (!report.balanced) throw new Error(`the books balance: ${JSON.stringify(report, undefined, 1)}`);

  if (jobs.size !== model.jobs.length) throw new Error(`accepted ${model.jobs.length} jobs, ${jobs.size} are there`);
  for (const expected of model.jobs) {
    const job = jobs.get(expected.id);
    const known = job && (isResting(job) ? 'resting' : job.state);
    if (known !== expected.state) throw new Error(`${expected.id} should be ${expected.state} and is ${job?.state}`);
    if (job?.attempt !== expected.attempt) {
      throw new Error(`${expected.id} should be at attempt ${expected.attempt} and is at ${job?.attempt}`);
    }
    const suspect = expected.crashes === CRASH_LIMIT - 1 && !hasEnded(expected);
    if (job.suspect !== suspect)
      throw new Error(`${expected.id}: a suspect after its last crash but one, and only then`);
    if (job.crashed !== expected.crashed && !hasEnded(expected)) {
      throw new Error(`${expected.id} has crashed ${expected.crashed} times, not ${job.crashed}`);
    }
    if (expected.erased && job.payload) throw new Error(`${expected.id} was erased and has a payload`);
    if (job.token !== (expected.token ?? '')) throw new Error(`${expected.id}: the token of the attempt that runs`);
  }

  const free = (id: string) => jobs.get(id)?.state !== 'blocked';
  for (const lane of new Set(model.jobs.flatMap((job) => job.lane ?? []))) {
    const alive = model.jobs.filter((job) => job.lane === lane && !hasEnded(job));
    const able = alive.filter(({ id }) => free(id));
    if (able.length > 1) throw new Error(`one of the lane ${lane} at a time: ${able.map(({ id }) => id).join()}`);
  }
  const suspects = [...jobs.values()].filter((job) => job.suspect && free(job.id));
  if (suspects.length > 1) throw new Error(`one suspect at a time: ${suspects.map(({ id }) => id).join()}`);
}

async function observe({ command, root }: Engine): Promise<Map<string, Observed>> {
  const rows = (await command('EVAL', OBSERVE, '0', root)) as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ][];
  return new Map(
    rows.map(([id, state, attempt, token, suspect, crashed, payload]) => [
      id,
      {
        id,
        state,
        attempt: Number(attempt),
        token,
        suspect: suspect !== '',
        crashed: Number(crashed),
        payload: payload !== '',
      },
    ]),
  );
}

function isResting({ state }: Observed): boolean {
  return ['waiting', 'scheduled', 'blocked', 'parked'].includes(state);
}
