import { pages, type Keyspace } from './keyspace.ts';
import { SUBJECT } from './survey.ts';

const KEY = 'key:';

/** Places of idempotency keys that do not tell which job holds them. */
export async function damagedKeys(keys: Keyspace): Promise<string[]> {
  const damaged = new Set<string>();
  for await (const places of keys.places(KEY)) {
    const told = (await keys.run('auditKeys', ['0', '0', ...places.flatMap((place) => [place, ''])])) as number[];
    places.forEach((place, i) => told[i] === 1 && damaged.add(place));
  }
  return [...damaged];
}

/**
 * Gives damaged idempotency keys back to the jobs whose records name them, and makes timelines anew that were put aside.
 *
 * @param keyMs how long a key is kept from now on
 */
export async function restoreMemberships(
  keys: Keyspace,
  damaged: readonly string[],
  timelines: readonly string[],
  keyMs: number,
): Promise<void> {
  if (damaged.length === 0 && timelines.length === 0) return;
  const holders = new Map(damaged.map((place) => [place, '']));
  const jobs = new Map(timelines.map((place) => [place, new Map<string, number>()]));
  for await (const page of keys.places('job:')) {
    const ids = page.map((place) => place.slice('job:'.length));
    const told = (await keys.run('auditMemberships', ids)) as string[];
    ids.forEach((id, i) => {
      const [key = '', subject = '', createdAt = '0'] = told.slice(3 * i, 3 * i + 3);
      if (key !== '' && holders.has(KEY + key)) holders.set(KEY + key, id);
      if (subject !== '') jobs.get(SUBJECT + subject)?.set(id, Number(createdAt));
    });
  }
  for (const some of pages([...holders])) await keys.run('auditKeys', ['1', String(keyMs), ...some.flat()]);
  for (const [place, times] of jobs) {
    const ids = [...times].sort(([, a], [, b]) => a - b).map(([id]) => id);
    // The last first: each page goes before what is there.
    for (const some of [...pages(ids)].reverse()) await keys.run('auditTimeline', [place, ...some]);
  }
}
