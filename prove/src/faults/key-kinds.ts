/** A kind of key that our programs keep in Redis; docs/reference/lifecycle.md lists the same. */
export interface KeyKind {
  /** As the reference names it: `q:<queue>:waiting`, without the prefix. */
  readonly name: string;
  readonly type: 'hash' | 'list' | 'zset' | 'set' | 'string' | 'stream' | 'any';
}

const kind = (name: string, type: KeyKind['type']): KeyKind => ({ name, type });

/** All kinds. */
export const keyKinds: readonly KeyKind[] = [
  kind('job:<id>', 'hash'),
  kind('q:<queue>:waiting', 'list'),
  kind('q:<queue>:active', 'list'),
  kind('q:<queue>:delayed', 'zset'),
  kind('q:<queue>:leases', 'zset'),
  kind('q:<queue>:blocked', 'zset'),
  kind('q:<queue>:parked', 'zset'),
  kind('q:<queue>:dead', 'zset'),
  kind('q:<queue>:counts', 'hash'),
  kind('q:<queue>:kept', 'string'),
  kind('q:<queue>:graced', 'string'),
  kind('lane:<lane>', 'list'),
  kind('suspects', 'list'),
  kind('schedules', 'hash'),
  kind('schedules:kept', 'zset'),
  kind('key:<task>:<key>', 'string'),
  kind('subject:<subject>', 'list'),
  kind('downstream:<name>', 'hash'),
  kind('downstream:<name>:permits', 'zset'),
  kind('downstream:<name>:probes', 'zset'),
  kind('layout', 'string'),
  kind('audit-log', 'stream'),
  kind('downstreams', 'set'),
  kind('probe', 'string'),
  kind('unreadable:<place>', 'any'),
];

/** The kind of a key without its prefix; undefined for one that nobody knows. */
export function kindOf(place: string): KeyKind | undefined {
  return keyKinds.find(({ name }) => patternOf(name).test(place));
}

/** A place of a kind: `<queue>` and so on are what `parts` says. @throws Error for a part that it does not say */
export function placeOf({ name }: KeyKind, parts: Readonly<Record<string, string>>): string {
  return name.replaceAll(/<(\w+)>/g, (_, part: string) => {
    const value = parts[part];
    if (value === undefined) throw new Error(`Nobody says what <${part}> is in ${name}`);
    return value;
  });
}

function patternOf(name: string): RegExp {
  // A name may hold anything but, where more follows it, the end of the name.
  return new RegExp(`^${name.replaceAll(/<\w+>/g, name === 'downstream:<name>' ? '[^:]+' : '[^]+')}$`);
}
