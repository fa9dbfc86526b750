import { afterAll, beforeEach, expect, jest, test } from '@jest/globals';
import { diag } from '@opentelemetry/api';
import { reportProblems, type OnTelemetryProblem } from './diagnostics.ts';

let clockMs = 0;
const onProblem = jest.fn<OnTelemetryProblem>();
beforeEach(() => {
  onProblem.mockReset();
  reportProblems(onProblem, () => clockMs);
});
afterAll(() => diag.disable());

test('the first trouble is told at once, the rest of its minute is only counted', () => {
  for (let n = 0; n < 5; n++) diag.error(`down ${n}`);
  clockMs += 59_999;
  diag.warn('still down');
  expect(onProblem.mock.calls).toEqual([['down 0', 0]]);
  clockMs += 1;
  diag.error('down again');
  clockMs += 60_000;
  diag.error('down yet');
  expect(onProblem.mock.calls.slice(1)).toEqual([
    ['down again', 5],
    ['down yet', 0],
  ]);
});

test('what is no trouble is not told', () => {
  diag.info('x');
  diag.debug('x');
  expect(onProblem).not.toHaveBeenCalled();
});

test("an exporter's error is told by its message and not with its stack", () => {
  diag.error(JSON.stringify({ stack: 'at x', message: 'connect ECONNREFUSED', name: 'Error', code: 'ECONNREFUSED' }));
  expect(onProblem.mock.calls).toEqual([['Error ECONNREFUSED connect ECONNREFUSED', 0]]);
});

test('a callback that throws harms nobody', () => {
  onProblem.mockImplementation(() => {
    throw new Error('the logger is broken');
  });
  expect(() => diag.error('down')).not.toThrow();
  expect(onProblem).toHaveBeenCalledTimes(1);
});
