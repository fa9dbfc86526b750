import { eventually } from '@coordinator/task-testing';
import { check } from '../checker/checker.ts';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Misdeed } from '../extension/misdeeds.ts';
import type { Proof } from '../proof.ts';

const DELIVERIES = 3;
const RATE = 40;
const LONGEST_MS = 90_000;
const HOW: Readonly<Record<'pr' | 'nightly', readonly Misdeed[]>> = {
  pr: ['exit', 'segfault'],
  nightly: ['exit', 'segfault', 'out-of-memory'],
};

/** A job that takes its worker down, beside jobs that do no harm. */
export const poison: Proof = {
  id: 'P19',
  title: 'Poison is quarantined',
  tier: 'pr',
  target:
    'a job that kills its worker is dead after 3 deliveries, as crashed-worker; of the other jobs none is lost or dead, and they keep 80 % of their throughput',
  run: async ({ tier, start, findings, say }) => {
    const stack = await start({ leaseMs: 2_000, env: { NODE_OPTIONS: '--max-old-space-size=120' } });
    // Slow enough for each crash to take some of them along, quick enough for one worker to catch up with what two left.
    await stack.sink.behave('main', { kind: 'ok', delayMs: 100 });
    const poisons: Sending[] = HOW[tier].map((how) => {
      const note = `p19-${how}`;
      return { key: note, body: { task: 'misbehave', payload: { note, how } } };
    });
    const ids = new Set<string>();
    for (const sending of poisons) for (const id of (await stack.driver.send(sending)).jobIds) ids.add(id);

    // Load for as long as the poison works, whatever that is.
    const beganAt = Date.now();
    let sent = 0;
    let poisonOver = false;
    const load = (async () => {
      while (!poisonOver && Date.now() - beganAt < LONGEST_MS) {
        const second = Array.from({ length: RATE }, () => delivery(`p19-${sent++}`));
        await stack.driver.drive(second, { ratePerSecond: RATE });
      }
    })();
    load.catch(() => undefined);
    try {
      await eventually(
        async () => {
          const states = await stack.fields([...ids], 'state');
          const alive = [...states].filter(([, state]) => state !== 'dead');
          if (alive.length > 0) throw new Error(`${alive.length} of ${ids.size} poisonous jobs are not dead letters`);
        },
        { deadlineMs: LONGEST_MS, everyMs: 200 },
      );
    } finally {
      poisonOver = true;
    }
    const overAt = Date.now();
    say(`P19: the poison was dead after ${overAt - beganAt} ms`);
    await load;
    findings.recoveriesMs.push(overAt - beganAt);
    const books = await stack.drained();

    const reasons = await stack.fields([...ids], 'outcome');
    findings.expect('dead for another reason', [...reasons.values()].filter((why) => why !== 'crashed-worker').length, {
      is: 0,
    });
    const crashes = stack.workers.reduce((sum, worker) => sum + worker.crashes, 0);
    findings.expect('workers taken down', crashes, { atMost: DELIVERIES * poisons.length });
    const effects = await stack.sink.effects();
    const innocentDead = [...(await stack.dead())].filter((id) => !ids.has(id));
    const breaks = check({
      sent: stack.ledger.entries,
      effects,
      dead: new Set([...ids, ...innocentDead]),
      starts: new Map(),
    });
    findings.figures.n = sent;
    findings.figures.kills = crashes;
    findings.figures.lost = breaks.lost.length;
    findings.figures.duplicates = breaks.duplicateEffects.length;
    findings.expect('lost', breaks.lost.length, { is: 0 });
    findings.expect('innocent jobs that are dead letters', innocentDead.length, { is: 0 });
    findings.expect('jobs missing in the books', books.missing, { is: 0 });
    const done = effects.filter(({ at }) => at <= overAt).length;
    const due = (RATE * (overAt - beganAt)) / 1_000;
    findings.expect('throughput meanwhile', Math.round((100 * done) / due), { atLeast: 80 }, '%');
  },
};
