import type { ClientEntry } from '../driver/client-ledger.ts';
import type { EffectRow } from '../sink/effect-ledger.ts';

/** What is laid side by side once everything is drained. */
export interface Books {
  /** What the senders know. */
  readonly sent: readonly ClientEntry[];
  /** What was done. */
  readonly effects: readonly EffectRow[];
  /** Ids of the dead letters. */
  readonly dead: ReadonlySet<string>;
  /** How often each acknowledged job was started. */
  readonly starts: ReadonlyMap<string, number>;
}

/** What is wrong with them; all of it empty where nothing is. */
export interface Breaks {
  /** Acknowledged, neither done nor dead. */
  readonly lost: readonly string[];
  /** Done, although no sender was told that it may be: job ids. */
  readonly ghosts: readonly string[];
  /** Effects of one job under more than one key: job ids. */
  readonly duplicateEffects: readonly string[];
  /** Keys that were answered with more than one job. */
  readonly dividedKeys: readonly string[];
  /** Lanes in which a job was done before one that was accepted earlier. */
  readonly inversions: readonly string[];
  /** Starts beyond the first, of all jobs. */
  readonly duplicateStarts: number;
  /** Calls that the sink recognised as repeated. */
  readonly repeatedCalls: number;
}

/** Compares the books of the senders, the sink and the queue. */
export function check({ sent, effects, dead, starts }: Books): Breaks {
  const done = new Set(effects.map(({ jobId }) => jobId));
  const acked = new Set(sent.flatMap(({ jobIds }) => [...jobIds]));
  const unsure = new Set(sent.filter(({ unknown }) => unknown > 0).map(({ key }) => key));
  return {
    lost: [...acked].filter((jobId) => !done.has(jobId) && !dead.has(jobId)),
    ghosts: effects.filter(({ jobId, note }) => !acked.has(jobId) && !unsure.has(note)).map(({ jobId }) => jobId),
    duplicateEffects: repeated(effects.map(({ jobId }) => jobId)),
    dividedKeys: [
      ...sent.filter(({ jobIds }) => jobIds.size > 1).map(({ key }) => key),
      // Two jobs of one request of which only one was ever acknowledged.
      ...repeated([...new Set(effects.map(({ note, jobId }) => `${note} ${jobId}`))].map(noteOf)),
    ].filter((key, i, all) => all.indexOf(key) === i),
    inversions: inversionsOf(effects),
    duplicateStarts: [...starts.values()].reduce((sum, count) => sum + Math.max(0, count - 1), 0),
    repeatedCalls: effects.reduce((sum, { repeats }) => sum + repeats, 0),
  };
}

function noteOf(noteAndJob: string): string {
  return noteAndJob.slice(0, noteAndJob.lastIndexOf(' '));
}

function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const value of values) (seen.has(value) ? twice : seen).add(value);
  return [...twice];
}

function inversionsOf(effects: readonly EffectRow[]): string[] {
  const reached = new Map<string, number>();
  const inverted = new Set<string>();
  for (const { lane, seq } of effects) {
    if (lane === undefined || seq === undefined) continue;
    if (seq < (reached.get(lane) ?? -Infinity)) inverted.add(lane);
    reached.set(lane, Math.max(seq, reached.get(lane) ?? seq));
  }
  return [...inverted];
}
