import { describe, expect, test } from '@jest/globals';
import { closingLine, sum, tallyOfChecks, tallyOfJest } from './tally.ts';

describe('the tally of a test run', () => {
  test('counts a check as one, and a check that could not be started as failed', () => {
    const checks = [
      { name: 'lint', code: 0, output: '' },
      { name: 'types', code: 2, output: 'error TS1' },
      { name: 'format', code: null, output: 'not found' },
    ];
    expect(tallyOfChecks(checks)).toEqual({ passed: 1, failed: 2 });
  });

  test('counts a test file that could not be run as a failure', () => {
    const summary = { numPassedTests: 10, numFailedTests: 1, numRuntimeErrorTestSuites: 2 };
    expect(tallyOfJest(summary, 1)).toEqual({ passed: 10, failed: 3 });
  });

  test('never calls a run clean that ended badly', () => {
    expect(tallyOfJest(undefined, null)).toEqual({ passed: 0, failed: 1 });
    const summary = { numPassedTests: 10, numFailedTests: 0, numRuntimeErrorTestSuites: 0 };
    expect(tallyOfJest(summary, 1)).toEqual({ passed: 10, failed: 1 });
  });

  test('ends with one line that adds everything up', () => {
    expect(closingLine(sum({ passed: 3, failed: 0 }, { passed: 40, failed: 2 }))).toBe('tests: 43 passed, 2 failed');
  });
});
