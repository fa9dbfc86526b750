import { describe, expect, test } from '@jest/globals';
import { ROOT_CONTEXT, trace, TraceFlags, type Span } from '@opentelemetry/api';
import { createLogger, type LoggerOptions } from './create-logger.ts';
import { silentLogger, type Logger } from './logger.ts';

function recorded(level?: LoggerOptions['level']): {
  logger: Logger;
  raw: string[];
  last: () => Record<string, unknown>;
} {
  const raw: string[] = [];
  const destination = { write: (line: string) => void raw.push(line) };
  const logger = createLogger({ service: 'test', release: '1.2.3', level, destination });
  return { logger, raw, last: () => JSON.parse(raw.at(-1) ?? 'null') as Record<string, unknown> };
}

describe('a line', () => {
  test('has time, level, service, release, fields and message', () => {
    const { logger, last } = recorded();
    logger.warn({ jobId: '7' }, 'Job is late');
    const { time, ...rest } = last();
    expect(rest).toEqual({ level: 'warn', service: 'test', release: '1.2.3', jobId: '7', msg: 'Job is late' });
    expect(new Date(time as string).toISOString()).toBe(time);
  });

  test('stays one line whatever its fields hold', () => {
    const { logger, raw, last } = recorded();
    const hostile = 'x\r\n{"level":"fatal"}\u001b[31m\u2028\u007f\u009b31m\u202e';
    logger.info({ hostile, [hostile]: 1 }, hostile);
    expect(raw.join('').match(/[\r\n]/g)).toEqual(['\n']);
    expect(raw.join('')).not.toMatch(/[\u001b\u007f-\u009f\u2028\u202e]/);
    expect(last()).toMatchObject({ hostile, msg: hostile, level: 'info' });
  });

  test('is written only from the level asked for', () => {
    const { logger, raw } = recorded('error');
    logger.warn('no');
    logger.error('yes');
    expect(raw).toHaveLength(1);
  });

  test('has the ids of the active span, and none when there is none', () => {
    const { logger, last } = recorded();
    const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.NONE };
    const original = trace.getActiveSpan;
    trace.getActiveSpan = () => trace.getSpan(trace.setSpanContext(ROOT_CONTEXT, span)) as Span;
    logger.info('inside');
    trace.getActiveSpan = original;
    expect(last()).toMatchObject({ trace_id: span.traceId, span_id: span.spanId });
    logger.info('outside');
    expect(last()).not.toHaveProperty('trace_id');
  });
});

describe('redaction', () => {
  test.each([
    ...['authorization', 'Cookie', 'set-cookie', 'password', 'db_password', 'secret', 'clientSecret', 'token'],
    ...['access_token', 'api_key', 'apiKey', 'x-api-key', 'email', 'customerEmail', 'name', 'first_name', 'lastName'],
    ...['phone', 'phoneNumber', 'card_number', 'cvc', 'iban', 'address', 'Proxy-Authorization', 'postal_code'],
  ])('hides %s at every depth and in children', (key) => {
    const { logger, raw } = recorded();
    const fields = { [key]: 'hidden-1', a: { [key]: 'hidden-2', b: [{ [key]: { deep: 'hidden-3' } }] } };
    logger.info(fields, 'first');
    // Within c everything is one deeper, so that its deepest part is not written at all.
    logger.child(fields).child({ c: fields }).info('second');
    expect(raw.join('').match(/\[redacted\]/g)?.length).toBe(8);
    expect(raw.join('')).not.toContain('hidden');
  });

  test.each(['task', 'queue', 'jobId', 'username', 'filename', 'hostname', 'panel', 'subject', 'addresses'])(
    'leaves %s alone',
    (key) => {
      const { logger, last } = recorded();
      logger.info({ [key]: 'seen' }, 'x');
      expect(last()[key]).toBe('seen');
    },
  );

  test('does not write what lies deeper than it looks, nor objects with a class', () => {
    const { logger, last } = recorded();
    logger.info({ a: { b: { c: { d: { e: 1 } } } }, list: [[[[1]]]], map: new Map([['k', 'v']]) }, 'x');
    expect(last()).toMatchObject({ a: { b: { c: { d: '[nested]' } } }, list: [[['[nested]']]], map: '[Map]' });
  });

  test('writes dates, addresses and big numbers as text, and masks texts wherever they are', () => {
    const { logger, last } = recorded();
    const date = new Date(0);
    logger.info({ date, n: 1n, list: ['ada@example.test'] }, 'mail to ada@example.test');
    expect(last()).toMatchObject({ date: date.toISOString(), n: '1', list: ['[redacted]'], msg: 'mail to [redacted]' });
  });

  test('survives an object that contains itself', () => {
    const { logger, raw } = recorded();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    logger.info(loop, 'x');
    expect(raw).toHaveLength(1);
  });
});

describe('errors', () => {
  const failure = Object.assign(
    new TypeError('card 4111111111111111 of ada@example.test', { cause: new Error('down') }),
    {
      code: 'E_CARD',
      response: { body: 'hidden' },
    },
  );

  test('are written as type, code and masked message, without stack and without anything they carry', () => {
    const { logger, last } = recorded();
    logger.error({ err: failure, other: failure }, 'failed');
    const record = {
      type: 'TypeError',
      code: 'E_CARD',
      message: 'card [redacted] of [redacted]',
      cause: { type: 'Error', message: 'down' },
    };
    expect(last().err).toEqual(record);
    expect(last().other).toEqual(record);
  });

  test('have a masked stack in a logger of level debug', () => {
    const { logger, last } = recorded('debug');
    logger.error({ err: failure }, 'failed');
    const { stack } = last().err as { stack: string };
    expect(stack).toContain('create-logger.test');
    expect(stack).not.toContain('4111');
  });

  test.each([
    ['a text', 'boom', { type: 'string', message: 'boom' }],
    ['nothing', undefined, { type: 'undefined', message: 'no message' }],
    ['an object', { message: 'boom', headers: 'hidden' }, { type: 'object', message: 'boom' }],
  ])('may be %s that was thrown', (_what, thrown, record) => {
    const { logger, last } = recorded();
    logger.error({ err: thrown }, 'failed');
    expect(last().err).toEqual(record);
  });
});

test('the silent logger has the whole interface and writes nothing', () => {
  expect(Object.keys(silentLogger).sort()).toEqual(['child', 'debug', 'error', 'fatal', 'info', 'warn']);
  expect(silentLogger.child({ a: 1 })).toBe(silentLogger);
  expect(silentLogger.info('x')).toBeUndefined();
});
