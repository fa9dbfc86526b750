import satisfies from 'spdx-satisfies';
import { type LockedPackages, neededPackages } from '../locked-packages.ts';

/** Licenses that ask for no more than that their text is passed on: https://spdx.org/licenses */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

/** Of what is only used here, and passed on to nobody. */
const ALLOWED_HERE = [...ALLOWED, 'CC-BY-3.0', 'CC-BY-4.0', 'CC0-1.0', 'Python-2.0'];

/** Packages that are passed on, in images or for the registry; they bring along what they need. */
const PASSED_ON = /^(?:apps|libs|extensions)\b(?!.*node_modules)/;

/** A line for each npm package whose license is not among the allowed ones, or not told. */
export function licenseFaults(packages: LockedPackages): string[] {
  const starts = Object.keys(packages).filter((folder) => PASSED_ON.test(folder));
  const passedOn = new Set(starts.flatMap((folder) => neededPackages(packages, folder)));
  return Object.entries(packages).flatMap(([folder, { license, link }]) => {
    if (!folder.includes('node_modules/') || link) return [];
    if (license === undefined) return [`${folder} tells no license`];
    return isAllowed(license, passedOn.has(folder) ? ALLOWED : ALLOWED_HERE)
      ? []
      : [`${folder} has the license ${license}`];
  });
}

function isAllowed(license: string, allowed: string[]): boolean {
  try {
    return satisfies(license, allowed);
  } catch {
    // Words that are no SPDX expression, such as SEE LICENSE IN …
    return false;
  }
}
