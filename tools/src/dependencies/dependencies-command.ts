import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { LockedPackages } from '../locked-packages.ts';
import { audit, type AuditResult } from './audit.ts';
import { licenseFaults } from './licenses.ts';
import { lockFaults } from './lock-faults.ts';

const USAGE = `Usage: npm run check:dependencies [-- --offline]

Checks what package-lock.json brings in: a SHA-512 for each package and none bound to a host, allowed licenses only, and
no known vulnerability that npm audit calls high or critical. Where the registry cannot be asked, that last one is skipped.
  --offline    do not ask the registry
Exit code: 0 no fault was found; 1 there are faults; 2 it could not be done.`;

/** `npm run check:dependencies`; returns its exit code. */
export function dependenciesCommand(
  args: string[],
  say: (text: string) => void,
  folder: string,
  askRegistry: (folder: string) => AuditResult = audit,
): number {
  const values = readArguments(args);
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: LockedPackages;
  };
  const report = (name: string, result: AuditResult) => {
    if ('skipped' in result) {
      say(`${name}: SKIPPED: ${result.skipped}`);
      return false;
    }
    const { faults } = result;
    const count = faults.length === 0 ? 'no fault' : faults.length === 1 ? '1 fault' : `${faults.length} faults`;
    say([`${name}: ${count}`, ...faults.map((fault) => `  ${fault}`)].join('\n'));
    return faults.length > 0;
  };
  const failed = [
    report('lock', { faults: lockFaults(packages) }),
    report('licenses', { faults: licenseFaults(packages) }),
    report('audit', values.offline ? { skipped: 'asked for by --offline' } : askRegistry(folder)),
  ];
  return failed.includes(true) ? 1 : 0;
}

function readArguments(args: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ args, options: { offline: flag, help: { ...flag, short: 'h' } } }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`, { cause: error });
  }
}
