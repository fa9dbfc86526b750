import { eventually } from '@coordinator/task-testing';
import { delivery } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

const NEIGHBOURS = 9;
/** Of each of them; together they need less than the half of the slots that is theirs, even where a job takes 400 ms. */
const RATE = 5;
/** Of the tenth: it takes every slot within 2 s if it can. */
const TENTH_RATE = 20;
const CONCURRENCY = 20;
/** Windows without and with a dead service, in turns. */
const PAIRS = { pr: 3, nightly: 7 };
const WINDOW_S = { pr: 4, nightly: 10 };
/** Redis counts whole milliseconds, and a healthy wait is a few of them. */
const TICK_MS = 5;

/** What became of the neighbours' jobs in one window. */
interface Window {
  /** Until the last of them was done, and as long as they were sent at the least. */
  readonly tookMs: number;
  /** From when a job was accepted to when it was started, by the clock of Redis; of each second. */
  readonly waitsMs: readonly (readonly number[])[];
}

/** One service hangs, nine are well; all are called from one queue. */
export const neighbours: Proof = {
  id: 'P15',
  title: 'A dead downstream does not slow its neighbours',
  tier: 'nightly',
  target:
    'nine healthy services keep 95 % of their throughput while the tenth hangs; their wait in the queue p99 at most 1.2 × that of the windows between + 5 ms (medians of the seconds)',
  run: async ({ tier, start, findings }) => {
    const stack = await start({ concurrency: CONCURRENCY });
    const seconds = WINDOW_S[tier];
    await window(stack, 'warm-up', seconds);
    const well: Window[] = [];
    const ill: Window[] = [];
    for (let pair = 0; pair < PAIRS[tier]; pair += 1) {
      well.push(await window(stack, `healthy-${pair}`, seconds));
      await stack.sink.behave('tenth', { kind: 'hang' });
      ill.push(await window(stack, `beside-${pair}`, seconds));
      await stack.sink.behave('tenth', { kind: 'ok' });
      // What is left of the tenth comes back at the pace of its breaker.
      await stack.drained(180_000);
    }
    findings.figures.n = NEIGHBOURS * RATE * seconds * 2 * PAIRS[tier];
    const share = Math.round(
      (100 * median(well.map(({ tookMs }) => tookMs))) / median(ill.map(({ tookMs }) => tookMs)),
    );
    findings.expect('throughput of the neighbours', share, { atLeast: 95 }, '%');
    const allowed = Math.round(1.2 * p99OfSeconds(well) + TICK_MS);
    findings.expect('wait of the neighbours p99', p99OfSeconds(ill), { atMost: allowed }, 'ms');
    findings.notes.push(
      `wait in the windows between ${p99OfSeconds(well)} ms; p99 of all ${p99OfAll(ill)} ms, between ${p99OfAll(well)} ms`,
    );
  },
};

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The median of them. */
function p99OfSeconds(windows: readonly Window[]): number {
  return median(windows.flatMap(({ waitsMs }) => waitsMs.map((waits) => percentile(waits, 0.99))));
}

function p99OfAll(windows: readonly Window[]): number {
  return percentile(
    windows.flatMap(({ waitsMs }) => waitsMs.flat()),
    0.99,
  );
}

/** Nine services get their jobs, and so does the tenth. */
async function window(stack: ProvingStack, name: string, seconds: number): Promise<Window> {
  const keys = new Set<string>();
  const perSecond = RATE * NEIGHBOURS + TENTH_RATE;
  const sendings = Array.from({ length: perSecond * seconds }, (_, i) => {
    const key = `p15-${name}-${i}`;
    if ((i * TENTH_RATE) % perSecond < TENTH_RATE) return delivery(key, { destination: 'tenth' });
    keys.add(key);
    return delivery(key, { destination: `well-${keys.size % NEIGHBOURS}` });
  });
  const before = stack.driver.answers.length;
  const beganAt = Date.now();
  await stack.driver.drive(sendings, { ratePerSecond: perSecond });
  const effects = await eventually(
    async () => {
      const own = (await stack.sink.effects()).filter(({ note }) => keys.has(note));
      if (own.length < keys.size) throw new Error(`${own.length} of ${keys.size} jobs of the neighbours are done`);
      return own;
    },
    { deadlineMs: 60_000 },
  );
  const answers = stack.driver.answers.slice(before).filter(({ key }) => keys.has(key));
  const jobIds = answers.flatMap((answer) => answer.jobIds);
  const accepted = await stack.fields(jobIds, 'createdAt');
  const started = await stack.fields(jobIds, 'firstStartedAt');
  const waitsMs = Array.from({ length: seconds }, (): number[] => []);
  for (const id of jobIds) {
    const at = Number(accepted.get(id));
    const second = Math.floor((at - beganAt) / 1_000);
    waitsMs[Math.min(seconds - 1, Math.max(0, second))]?.push(Number(started.get(id)) - at);
  }
  const lastAt = Math.max(...effects.map(({ at }) => at));
  return { tookMs: Math.max(seconds * 1_000, lastAt - beganAt), waitsMs };
}
