import { keyKinds, kindOf, placeOf, type KeyKind } from './key-kinds.ts';
import type { Random } from './random.ts';

/** What is written where our programs keep something: bytes of no meaning in a key of its type, or a key of another type. */
export type Damage = 'bytes' | 'type';

/** Runs one Redis command. */
export type Command = (...args: string[]) => Promise<unknown>;

/** What is to be damaged. */
export interface DamageOptions {
  readonly how: Damage;
  readonly random: Random;
  /** Which keys that are there, by their places. */
  readonly wanted: (place: string) => boolean;
  /** What `<queue>` and so on are in the place of a kind of which no wanted key is there. */
  readonly parts: Readonly<Record<string, string>>;
  /** Kinds that somebody else damages. */
  readonly except: ReadonlySet<string>;
}

const PREFIX = '{cc}:';
const JUNK_BYTES = 40;

/** Bytes of no meaning. */
export function junk(random: Random): string {
  return String.fromCharCode(...Array.from({ length: JUNK_BYTES }, () => Math.floor(random() * 256)));
}

/** Every key of ours, without the prefix. */
export async function placesIn(command: Command): Promise<string[]> {
  const places = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = (await command('SCAN', cursor, 'MATCH', `${PREFIX}*`, 'COUNT', '1000')) as [string, string[]];
    cursor = next;
    for (const key of page) places.add(key.slice(PREFIX.length));
  } while (cursor !== '0');
  return [...places];
}

/** Damages the wanted keys, of every kind at least one. Returns their places, by kind. */
export async function damageKeys(command: Command, options: DamageOptions): Promise<Map<KeyKind, string[]>> {
  const { how, random, wanted, parts, except } = options;
  const there = (await placesIn(command)).filter(wanted);
  const damaged = new Map<KeyKind, string[]>();
  for (const kind of keyKinds) {
    if (except.has(kind.name)) continue;
    const found = there.filter((place) => kindOf(place) === kind);
    const places = found.length > 0 ? found : [placeOf(kind, parts)];
    for (const place of places) await damageKey(command, PREFIX + place, kind, how, random);
    damaged.set(kind, places);
  }
  return damaged;
}

async function damageKey(command: Command, key: string, { type }: KeyKind, how: Damage, random: Random): Promise<void> {
  const bytes = () => junk(random);
  if (how === 'type') {
    await command('DEL', key);
    await command(type === 'string' ? 'RPUSH' : 'SET', key, bytes());
    return;
  }
  switch (type) {
    case 'list':
      await command('LPUSH', key, bytes());
      await command('RPUSH', key, bytes());
      return;
    case 'zset':
      await command('ZADD', key, '-inf', bytes(), '1', bytes(), '+inf', bytes());
      return;
    case 'set':
      await command('SADD', key, bytes());
      return;
    case 'hash': {
      const fields = (await command('HKEYS', key)) as string[];
      for (const field of [...fields, bytes()]) await command('HSET', key, field, bytes());
      return;
    }
    case 'stream':
      await command('XADD', key, '*', bytes(), bytes());
      return;
    default:
      await command('SET', key, bytes(), 'KEEPTTL');
  }
}
