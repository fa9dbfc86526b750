/** How many checks and tests passed and failed. */
export interface Tally {
  passed: number;
  failed: number;
}

/** What Jest writes with --json, as far as it is counted. */
export interface JestSummary {
  numPassedTests: number;
  numFailedTests: number;
  /** Files that could not be run: a syntax error, a missing module. None of their tests is counted anywhere else. */
  numRuntimeErrorTestSuites: number;
}

/** What a check ended with. */
export interface EndedCheck {
  /** For people: `lint`. */
  name: string;
  /** Exit code; null where it was killed or could not be started. */
  code: number | null;
  /** What it printed. */
  output: string;
}

/** Each check counts as one: how many files it covers is no measure of anything. */
export function tallyOfChecks(checks: readonly EndedCheck[]): Tally {
  const passed = checks.filter(({ code }) => code === 0).length;
  return { passed, failed: checks.length - passed };
}

/** Counts tests, and files that could not be run as failures; a run that ended badly never counts as clean. */
export function tallyOfJest(summary: JestSummary | undefined, code: number | null): Tally {
  const passed = summary?.numPassedTests ?? 0;
  const failed = (summary?.numFailedTests ?? 0) + (summary?.numRuntimeErrorTestSuites ?? 0);
  return { passed, failed: code === 0 ? failed : Math.max(failed, 1) };
}

/** Adds up. */
export function sum(...tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failed: tallies.reduce((total, { failed }) => total + failed, 0),
  };
}

/** The line that a test run ends with; CI reads it. */
export function closingLine({ passed, failed }: Tally): string {
  return `tests: ${passed} passed, ${failed} failed`;
}
