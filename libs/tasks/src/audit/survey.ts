import { pages, type Keyspace } from './keyspace.ts';

/** The parts of a queue, and the types that the scripts rely on. */
const PARTS: Readonly<Record<string, 'list' | 'zset' | 'hash' | 'string'>> = {
  waiting: 'list',
  active: 'list',
  delayed: 'zset',
  leases: 'zset',
  blocked: 'zset',
  parked: 'zset',
  dead: 'zset',
  counts: 'hash',
  kept: 'string',
  graced: 'string',
};

/** Keys that there is one of. */
const SINGLE: Readonly<Record<string, Index['type']>> = {
  suspects: 'list',
  schedules: 'hash',
  'schedules:kept': 'zset',
  downstreams: 'set',
};

/** What places of timelines begin with. */
export const SUBJECT = 'subject:';

/** A key in which jobs stand, or that the scripts keep beside them. */
export interface Index {
  readonly place: string;
  readonly type: 'list' | 'zset' | 'set' | 'hash' | 'string';
  /** The queue that it is a part of; undefined for lanes and what is no part of any. */
  readonly queue: string | undefined;
}

/** The indexes that there are. */
export async function findIndexes(keys: Keyspace): Promise<Index[]> {
  const found = new Map<string, Index>();
  for (const [place, type] of Object.entries(SINGLE)) found.set(place, { place, type, queue: undefined });
  for await (const page of keys.places('q:')) {
    for (const place of page) {
      const cut = place.lastIndexOf(':');
      const type = PARTS[place.slice(cut + 1)];
      if (type) found.set(place, { place, type, queue: place.slice(2, cut) });
    }
  }
  for (const head of ['lane:', SUBJECT]) {
    for await (const page of keys.places(head)) {
      for (const place of page) found.set(place, { place, type: 'list', queue: undefined });
    }
  }
  return [...found.values()];
}

/** Indexes that are read at once: each is read in pages. */
const AT_ONCE = 32;

/** Where ids were seen. */
type Sightings = Map<string, string[]>;

/** A job of which records and indexes said different things. Perhaps it only moved between two looks. */
export interface Suspicion {
  readonly jobId: string;
  readonly seenIn: readonly string[];
  readonly order: string;
}

/** Walks all indexes, then compares the records with them: all records, or those of `only`. */
export async function survey(
  keys: Keyspace,
  indexes: readonly Index[],
  only?: readonly string[],
): Promise<Suspicion[]> {
  const seen: Sightings = new Map();
  for (const some of pages(indexes, AT_ONCE)) await Promise.all(some.map((index) => walk(keys, index, seen)));
  const suspicions: Suspicion[] = [];
  const compare = async (ids: readonly string[]) => {
    const readings = await keys.records(ids);
    ids.forEach((jobId, i) => {
      const seenIn = seen.get(jobId) ?? [];
      const reading = readings[i];
      if (!reading || !agree(reading.places, seenIn)) {
        suspicions.push({ jobId, seenIn: seenIn.map(withoutMark), order: reading?.order ?? '' });
      }
    });
    for (const jobId of ids) seen.delete(jobId);
  };
  if (only) {
    for (const ids of pages(only)) await compare(ids);
    return suspicions;
  }
  for await (const page of keys.places('job:')) {
    // A scan may come by the same key twice.
    await compare(page.map((place) => place.slice('job:'.length)));
  }
  for (const ids of pages([...seen.keys()])) await compare(ids);
  return suspicions;
}

async function walk(keys: Keyspace, { place, type, queue }: Index, seen: Sightings): Promise<void> {
  if ((type !== 'list' && type !== 'zset') || !holdsByState(place)) return;
  let first = queue === undefined;
  for await (const ids of type === 'list' ? keys.list(place) : keys.sortedSet(place)) {
    for (const id of ids) {
      const where = first ? `${place}#first` : place;
      first = false;
      const places = seen.get(id);
      if (places) places.push(where);
      else seen.set(id, [where]);
    }
  }
}

/** Not so timelines, in which jobs stay, and those of schedules, which are no jobs. */
function holdsByState(place: string): boolean {
  return !place.startsWith(SUBJECT) && place !== 'schedules:kept';
}

function agree(wanted: readonly string[], seenIn: readonly string[]): boolean {
  return wanted.length === seenIn.length && wanted.every((place) => seenIn.includes(place));
}

function withoutMark(place: string): string {
  return place.replace(/#first$/, '');
}
