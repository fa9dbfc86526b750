import { scripts } from '../bee-queue/scripts.ts';
import type { RedisConnection } from '../bee-queue/redis-connection.ts';

const PAGE = 500;

/** What an audit reads, a page at a time, so that Redis serves everybody else in between. */
export class Keyspace {
  readonly #connection: RedisConnection;
  readonly #root: string;

  constructor(connection: RedisConnection, keyPrefix: string) {
    this.#connection = connection;
    this.#root = `${keyPrefix}:`;
  }

  /** Places (keys without the prefix) that begin with `head`, in pages; a page may repeat what another one had. */
  async *places(head: string): AsyncGenerator<string[]> {
    const pattern = `${`${this.#root}${head}`.replace(/[*?[\]\\^]/g, '\\$&')}*`;
    let cursor = '0';
    do {
      const page = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(PAGE)];
      const [next, keys] = (await this.#connection.command(...page)) as [string, string[]];
      cursor = next;
      if (keys.length > 0) yield keys.map((key) => key.slice(this.#root.length));
    } while (cursor !== '0');
  }

  /** Ids of a list, first to last, in pages. What moves towards the end meanwhile comes twice rather than never. */
  async *list(place: string): AsyncGenerator<string[]> {
    for (let from = 0; ; from += PAGE) {
      const range = ['LRANGE', this.#root + place, String(from), String(from + PAGE - 1)];
      const ids = (await this.#connection.command(...range)) as string[];
      if (ids.length > 0) yield ids;
      if (ids.length < PAGE) return;
    }
  }

  /** Ids of a sorted set, in pages. */
  async *sortedSet(place: string): AsyncGenerator<string[]> {
    let cursor = '0';
    do {
      const page = ['ZSCAN', this.#root + place, cursor, 'COUNT', String(PAGE)];
      const [next, flat] = (await this.#connection.command(...page)) as [string, string[]];
      cursor = next;
      const ids = flat.filter((_, i) => i % 2 === 0);
      if (ids.length > 0) yield ids;
    } while (cursor !== '0');
  }

  /** Where jobs have to stand according to their records; undefined for a record that cannot be read. */
  async records(ids: readonly string[]): Promise<(RecordReading | undefined)[]> {
    const lines = (await this.run('auditRecords', ids)) as string[];
    return lines.map((line) => {
      if (line === '') return undefined;
      const [head = '', ...places] = line.split('\t');
      return { order: head, places };
    });
  }

  /** The types of keys that have not the wanted ones, by place; with `repair` these keys are put aside. */
  async wrongTypes(wanted: readonly { place: string; type: string }[], repair: boolean): Promise<Map<string, string>> {
    const wrong = new Map<string, string>();
    for (const page of pages(wanted, PAGE)) {
      const args = page.flatMap(({ place, type }) => [place, type]);
      const types = (await this.run('auditIndex', [repair ? '1' : '0', ...args])) as string[];
      page.forEach(({ place }, i) => types[i] && wrong.set(place, types[i]));
    }
    return wrong;
  }

  run(script: keyof typeof scripts, args: readonly string[]): Promise<unknown> {
    return this.#connection.run(scripts[script], this.#root, [...args]);
  }
}

/** Cuts a list into pages. */
export function* pages<T>(all: readonly T[], size: number = PAGE): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
}

/** See {@link Keyspace.records}. */
export interface RecordReading {
  /** Sorts those that may run before the blocked ones, and each of them by acceptance. */
  readonly order: string;
  /** `#first` marks those at the head of a lane. */
  readonly places: readonly string[];
}
