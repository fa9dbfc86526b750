import { describe, expect, test } from '@jest/globals';
import { createLogView } from './log-view.ts';

const record = (fields: Record<string, unknown>) => JSON.stringify({ time: 'x', service: 'api', ...fields });

describe('the log on the terminal', () => {
  test('shows warnings and errors with the name of their process', () => {
    const view = createLogView();
    expect(view(record({ level: 'warn', msg: 'slow', task: 'lms.enrol' }), 'worker')).toBe(
      'worker   | warn slow task=lms.enrol',
    );
  });

  test('leaves out what is of no interest, unless it is asked for everything', () => {
    const line = record({ level: 'info', msg: 'job completed' });
    expect(createLogView()(line, 'worker')).toBeUndefined();
    expect(createLogView({ verbose: true })(line, 'worker')).toBe('worker   | info job completed');
  });

  test('shows that a process has started', () => {
    expect(createLogView()(record({ level: 'info', msg: 'listening', port: 8080 }), 'api')).toContain('port=8080');
  });

  test('shows what is no log record: it is likely to be a stack', () => {
    expect(createLogView()('TypeError: x is not a function', 'api')).toBe('api      | TypeError: x is not a function');
    expect(createLogView()('{ not json', 'api')).toBe('api      | { not json');
  });
});
