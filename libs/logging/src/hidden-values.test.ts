import { describe, expect, test } from '@jest/globals';
import { createLogger } from './create-logger.ts';
import { hidingValues } from './hidden-values.ts';
import { maskText } from './mask.ts';

const masked = (values: string[], text: string) =>
  hidingValues(
    () => values,
    () => maskText(text),
  );

describe('a hidden value', () => {
  test.each([
    [['Ada'], 'no user ada, ADA or "Ada"', 'no user [redacted], [redacted] or "[redacted]"'],
    [['ada'], 'adamant, canada', 'adamant, canada'],
    [['Ada', 'Ada Lovelace'], 'Ada Lovelace is Ada', '[redacted] is [redacted]'],
    [['Ada Lovelace'], '/users/Ada%20Lovelace/orders', '/users/[redacted]/orders'],
    [['a.*(b', '$&'], 'a.*(b costs $&, aXb does not', '[redacted] costs [redacted], aXb does not'],
    [['42'], 'user 42 of 420', 'user [redacted] of 420'],
    [['Žofie'], 'user žofie', 'user [redacted]'],
    [['\ud800'], 'nothing to hide', 'nothing to hide'],
  ])('%j is found in %j', (values, text, shown) => {
    expect(masked(values, text)).toBe(shown);
  });

  test('is out of log lines, whoever writes them, until what hides it has ended', async () => {
    const lines: string[] = [];
    const log = createLogger({ service: 's', release: 'r', destination: { write: (line) => void lines.push(line) } });
    const child = log.child({ part: 'p' });
    await hidingValues(
      () => ['Ada'],
      async () => {
        await Promise.resolve();
        child.info(
          { who: 'ada', deep: { why: ['no Ada'] }, err: new Error('Ada', { cause: new Error('ada?') }) },
          'for Ada',
        );
      },
    );
    log.info('Ada');
    expect(lines[0]).toContain('for [redacted]');
    expect(lines[0]).not.toMatch(/ada/i);
    expect(lines[1]).toContain('Ada');
  });

  test('costs nothing where nobody writes', () => {
    const asked: string[] = [];
    hidingValues(
      () => {
        asked.push('asked');
        return [];
      },
      () => {
        expect(asked).toEqual([]);
        maskText('first');
        maskText('second');
      },
    );
    expect(asked).toEqual(['asked']);
  });
});
