import { eventually } from '@coordinator/task-testing';
import type { Sending } from '../driver/sending.ts';
import { damageKeys, type Damage } from '../faults/key-damage.ts';
import { kindOf, type KeyKind } from '../faults/key-kinds.ts';
import type { Scene } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { QUEUE_ASIDE } from '../stack/stack-options.ts';

const JOBS = 25;
const LANE_JOBS = 4;
const LATER_MS = 3_000;
/** Records are damaged elsewhere, and what was put aside is read by nobody. */
const EXCEPT = new Set(['job:<id>', 'unreadable:<place>']);
/** Not by the audit: the next write replaces or puts aside what stands there, or nothing starts and says so. */
const NAMED_OTHERWISE = new Set([
  ...['q:<queue>:kept', 'probe', 'layout'],
  ...['downstream:<name>', 'downstream:<name>:permits', 'downstream:<name>:probes'],
]);
/** How the state of a downstream is named that was put aside. */
const LOST = /^the state of a downstream is lost/;

/**
 * Damages every kind of key that belongs to a queue of its own, and those that all share; others have to go on. Then an
 * operator mends it, and the jobs of that queue go on as well. Returns the kinds.
 */
export async function damageAside(
  stack: ProvingStack,
  how: Damage,
  { random, findings }: Pick<Scene, 'random' | 'findings'>,
  othersGoOn: () => Promise<void>,
): Promise<string[]> {
  const command = (...args: string[]) => stack.command(...args);
  const expect = (what: string, value: number) => findings.expect(`${how}: ${what}`, value, { is: 0 });
  await stack.sink.behave('aside', { kind: 'ok', delayMs: 1_000 });
  const all = jobsAside(how);
  await stack.driver.drive(all, { ratePerSecond: 200 });
  const layout = (await command('GET', '{cc}:layout')) as string;
  const keyed = all[0] as Sending;
  const damaged = await damageKeys(command, {
    ...{ how, random, except: EXCEPT },
    wanted: (place) => isAside(place, how, keyed.key),
    parts: { queue: QUEUE_ASIDE, name: 'sink-aside' },
  });
  await othersGoOn();

  const repeated = await stack.driver.send(keyed);
  expect('repeated requests under a damaged key that were not refused', isRefused(repeated) ? 0 : 1);
  const refused = Object.entries(how === 'type' ? belonging(how) : {}).map(([what, body]) => {
    return { what, sending: { key: `p20-${how}-new-${what}`, body } };
  });
  for (const { what, sending } of refused) {
    const answer = await stack.driver.send(sending);
    expect(`new jobs of a damaged ${what} that were not refused`, isRefused(answer) ? 0 : 1);
  }
  const refusesLayout = await stack.audit().then(
    () => false,
    (error: Error) => /holds no number|another type/.test(error.message),
  );
  expect('audits that did not name the layout', refusesLayout ? 0 : 1);
  // What its message says.
  await command('SET', '{cc}:layout', layout);

  const { faults } = await stack.audit();
  const named = new Set(faults.map(({ where }) => where));
  const silent = Array.from(damaged).flatMap(([kind, places]) =>
    isNamed(kind, how) ? places.filter((it) => !named.has(it)) : [],
  );
  if (silent.length > 0) findings.notes.push(`${how}: not named were ${silent.join(', ')}`);
  expect('damaged keys that the audit did not name', silent.length);

  await stack.audit({ repair: true });
  const sent = refused.map(({ sending }) => sending);
  await stack.driver.drive(sent, { ratePerSecond: 10 });
  await ended(stack, [...all, ...sent]);
  const again = await stack.driver.send(keyed);
  expect('repeated requests that were not known after the repair', again.duplicate ? 0 : 1);
  if (how === 'type') expect('downstreams whose damage no log line tells', stack.log.matching(LOST).length > 0 ? 0 : 1);
  await mended(stack);
  return [...damaged.keys()].map(({ name }) => name);
}

/** Some of them in each index. */
function jobsAside(how: Damage): Sending[] {
  const plain = Array.from({ length: JOBS }, (_, i): Sending => {
    const note = `p20-${how}-${i}`;
    return {
      key: note,
      body: { task: 'aside', payload: { note, subject: `p20:${how}` }, delayMs: i % 5 === 4 ? LATER_MS : 0 },
    };
  });
  const inLane = Array.from({ length: LANE_JOBS }, (_, i): Sending => {
    const note = `p20-${how}-lane-${i}`;
    return { key: note, body: { task: 'aside', payload: { note, lane: `p20-${how}` } } };
  });
  return [...plain, ...inLane];
}

/** Bodies of jobs that belong to something that is damaged, and to nothing else that is. */
function belonging(how: Damage) {
  const note = (what: string) => `p20-${how}-new-${what}`;
  const [lane, subject] = [`p20-${how}`, `p20:${how}`];
  return {
    lane: { task: 'deliver', payload: { note: note('lane'), destination: 'main', lane } },
    subject: { task: 'family', payload: { note: note('subject'), children: [], subject } },
    queue: { task: 'aside', payload: { note: note('queue') } },
  } as const;
}

/** What belongs to the queue aside and to the jobs of this kind of damage, and what all share. */
function isAside(place: string, how: Damage, key: string): boolean {
  const { name } = kindOf(place) ?? { name: '' };
  if (name.startsWith('q:')) return place.startsWith(`q:${QUEUE_ASIDE}:`);
  if (name.startsWith('downstream:')) return place.startsWith('downstream:sink-aside');
  if (name.startsWith('key:')) return place.includes(`"${key}"`);
  if (name.startsWith('lane:')) return place === `lane:p20-${how}`;
  if (name.startsWith('subject:')) return place === `subject:p20:${how}`;
  return true;
}

/** Bytes in an index of the right type are ids without a job, which the workers clear away by themselves. */
function isNamed({ name }: KeyKind, how: Damage): boolean {
  if (NAMED_OTHERWISE.has(name)) return false;
  return how === 'type' || name === 'q:<queue>:counts' || name.startsWith('key:');
}

function isRefused({ status, code }: { readonly status: number; readonly code: string | undefined }): boolean {
  return status === 500 && code === 'COORD_INDEX_DAMAGED';
}

/** Whatever the damage did to them: none is lost, and none is a dead letter. */
async function ended(stack: ProvingStack, all: readonly Sending[]): Promise<void> {
  const keys = new Set(all.map(({ key }) => key));
  const jobIds = stack.ledger.entries.filter(({ key }) => keys.has(key)).flatMap((entry) => [...entry.jobIds]);
  await eventually(
    async () => {
      const states = await stack.fields(jobIds, 'state');
      const left = [...states].filter(([, state]) => state !== 'completed');
      if (left.length > 0) throw new Error(`after the repair these are not done: ${left.slice(0, 5).join('; ')}`);
    },
    { deadlineMs: 90_000, everyMs: 200 },
  );
}

/** What is left to be found is what the workers are about to clear away. */
async function mended(stack: ProvingStack): Promise<void> {
  await eventually(
    async () => {
      const { faults } = await stack.audit({ repair: true });
      if (faults.length > 0) throw new Error(`after the repair the audit finds ${JSON.stringify(faults.slice(0, 5))}`);
    },
    { deadlineMs: 30_000, everyMs: 500 },
  );
}
