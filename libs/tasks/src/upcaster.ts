import { schemaFaults } from '@coordinator/logging';
import type { z } from 'zod';
import { CoordinatorError } from './error-codes.ts';
import { failureOf } from './outcome.ts';
import type { AnyTask } from './task.ts';

/** The way from the payload of one version of a task to that of the next one. */
export interface Upcaster {
  readonly from: z.ZodType;
  readonly to: z.ZodType;
  readonly convert: (old: never) => unknown;
}

/** Upcasters by the version that they begin with. */
export type Upcasters = Readonly<Record<number, Upcaster>>;

/**
 * Says how the payload of one version becomes that of the next one. `convert` runs at each attempt and its result is
 * stored nowhere: it has to be pure, and must not call anybody.
 *
 * @param from schema of the older version, as the release had it that accepted the job
 * @param to schema of the next version
 */
export function upcast<Old extends z.ZodType, New extends z.ZodType>(
  from: Old,
  to: New,
  convert: (old: z.output<Old>) => z.input<New>,
): Upcaster {
  return { from, to, convert };
}

/** The oldest version of the payload that a task can still read. */
export function oldestReadable({ payloadVersion, upcasters }: Pick<AnyTask, 'payloadVersion' | 'upcasters'>): number {
  return Math.min(payloadVersion, ...Object.keys(upcasters).map(Number));
}

/** The schema of the payload of a version that the task can read. */
export function schemaOf({ payload, payloadVersion, upcasters }: AnyTask, version: number): z.ZodType {
  return version === payloadVersion ? payload : (upcasters[version]?.from ?? payload);
}

/** Holds the upcasters of a task against its versions. @throws RangeError that says which step is missing or does not fit */
export function checkUpcasters({ name, payload, payloadVersion, upcasters }: AnyTask, given: boolean): void {
  const before = payloadVersion - 1;
  if (before > 0 && !given) {
    throw new RangeError(
      `${name}: payloadVersion is ${payloadVersion}, and nothing says how a payload of version ${before} becomes one: add ` +
        `upcasters: { ${before}: upcast(…) }, or upcasters: {} once no job of an older version is left`,
    );
  }
  const versions = Object.keys(upcasters).map(Number);
  for (const version of versions) {
    if (!Number.isSafeInteger(version) || version < 1 || version > before) {
      throw new RangeError(`${name}: an upcaster begins with a version from 1 to ${before}, not with ${version}`);
    }
  }
  for (let version = Math.min(...versions); version <= before; version += 1) {
    const upcaster = upcasters[version];
    if (!upcaster) throw new RangeError(`${name}: there is no upcaster from version ${version} to ${version + 1}`);
    const next = version === before ? payload : upcasters[version + 1]?.from;
    if (next && upcaster.to !== next) {
      throw new RangeError(
        `${name}: the upcaster from version ${version} makes another payload than version ${version + 1} takes: give both the same schema`,
      );
    }
  }
}

/**
 * The payload of an older version as the task reads it now.
 *
 * @throws CoordinatorError COORD_UPCAST_FAILED, with paths and no values
 */
export function upcastPayload(task: AnyTask, version: number, stored: unknown): unknown {
  let payload = stored;
  for (let step = version; step < task.payloadVersion; step += 1) {
    const { from, to, convert } = task.upcasters[step] as Upcaster;
    const fail = (what: string, faults: readonly string[] = [], cause?: unknown) =>
      new CoordinatorError(
        'COORD_UPCAST_FAILED',
        `The payload of ${task.name} could not be brought from version ${step} to ${step + 1}: ${what}`,
        { faults, cause },
      );
    const old = from.safeParse(payload);
    if (!old.success) {
      const faults = schemaFaults(from, old.error, payload, 'payload');
      throw fail(`it is none of version ${step}: ${faults.join('; ')}`, faults);
    }
    let made: unknown;
    try {
      made = convert(old.data as never);
    } catch (error) {
      throw fail(`the upcaster threw: ${failureOf(error).message}`, [], error);
    }
    const next = to.safeParse(made);
    if (!next.success) {
      const faults = schemaFaults(to, next.error, made, 'payload');
      throw fail(`the result does not fit: ${faults.join('; ')}`, faults);
    }
    payload = next.data;
  }
  return payload;
}
