import { describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { addressRanges } from './address-fields.ts';
import type { Field } from './field.ts';
import { count, durationMs, port } from './number-fields.ts';
import { namedTokens, secret, secretList } from './secret-fields.ts';
import { Secret } from './secret.ts';
import { flag, list, oneOf, text } from './text-fields.ts';
import { redisUrl, serviceUrl } from './url-fields.ts';

const faultOf = (field: Field<unknown>, value: string): string | undefined =>
  field
    .safeParse(value)
    .error?.issues.map((issue) => issue.message)
    .join('; ');

describe('numbers', () => {
  test.each([
    ['port', port(), '8080', 8080],
    ['port, any free one', port(), '0', 0],
    ['duration', durationMs(), ' 1500 ', 1500],
    ['duration that may be none', durationMs(0, 0), '0', 0],
    ['count', count(), '20', 20],
  ])('%s is read from text', (_name, field, value, read) => {
    expect(field.parse(value)).toBe(read);
  });

  test.each([
    ['port', port(), ['65536', '-1', '80.5', '0x50', '1e3', 'http', ' ']],
    ['duration', durationMs(), ['0', '-5', '25s', '99999999999999']],
    ['duration of at most a second', durationMs(1, 0, 1_000), ['-1', '1001']],
    ['count', count(), ['0', '-1', '2.5', 'Infinity', '9007199254740993']],
  ])('a %s that is none is refused', (_name, field, values) => {
    expect(values.filter((value) => field.safeParse(value).success)).toEqual([]);
  });
});

describe('texts', () => {
  test('a flag takes the usual words in any case and no others', () => {
    expect(['true', '1', 'YES', 'on'].map((word) => flag().parse(word))).toEqual([true, true, true, true]);
    expect(['false', '0', 'No', 'off'].map((word) => flag().parse(word))).toEqual([false, false, false, false]);
    expect(faultOf(flag(), 'constructor')).toBe('must be true or false');
  });

  test('one of several words is taken, any other is answered with the words', () => {
    expect(oneOf(['red', 'blue']).parse('blue')).toBe('blue');
    expect(faultOf(oneOf(['red', 'blue']), 'green')).toBe('must be one of: red, blue');
  });

  test('a list drops space and empty parts', () => {
    expect(list().parse(' a, b,,c ,')).toEqual(['a', 'b', 'c']);
  });
});

describe('addresses', () => {
  test.each([
    ['https://shop.example.test/', 'https://shop.example.test'],
    ['http://127.0.0.1:8090/api//', 'http://127.0.0.1:8090/api'],
  ])('a service address loses its trailing slash: %s', (value, read) => {
    expect(serviceUrl().parse(value)).toBe(read);
  });

  test.each([
    'ftp://a.test',
    'https://user:pw@a.test',
    'https://a.test?x=1',
    'https://a.test/#',
    'https://a.test/?',
    'a.test',
    'http://127.1',
    'http://0177.0.0.1',
    'http://2852039166',
    'http://good.test\\@evil.test',
  ])('is no service address: %s', (value) => {
    expect(serviceUrl().safeParse(value).success).toBe(false);
  });

  test('ranges of addresses are a list of them', () => {
    expect(addressRanges().parse('10.0.0.0/8, fd00::/8')).toEqual(['10.0.0.0/8', 'fd00::/8']);
    const refused = ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0/8', 'lms/8', '10.0.0.0/8;::1/128', '/8'];
    expect(refused.filter((value) => addressRanges().safeParse(value).success)).toEqual([]);
  });

  test('a Redis address is redis:// or rediss:// with a host', () => {
    const url = redisUrl().parse('rediss://:pw@redis.test:6380/1');
    expect([url.reveal(), inspect({ url })]).toEqual(['rediss://:pw@redis.test:6380/1', '{ url: [secret] }']);
    const refused = ['http://redis.test', 'redis.test:6379', 'redis://'];
    expect(refused.filter((value) => redisUrl().safeParse(value).success)).toEqual([]);
  });
});

describe('secrets', () => {
  test('a list of secrets keeps its order, the first being the one to sign with', () => {
    expect(
      secretList()
        .parse('new, old')
        .map((one) => one.reveal()),
    ).toEqual(['new', 'old']);
    expect(secretList().safeParse(' , ').success).toBe(false);
  });

  test('named tokens have a name, or several have one, and a secret may hold an equals sign', () => {
    const tokens = namedTokens().parse('shop=abc==, other=def, shop=next');
    expect([...tokens].map(([name, token]) => [name, token.reveal()])).toEqual([
      ['shop', 'abc=='],
      ['other', 'def'],
      ['shop', 'next'],
    ]);
  });

  test.each([
    ['shop=s3cr3t-a,other=s3cr3t-a', 'entry 2 repeats a secret'],
    ['shop=s3cr3t-a,other=', 'entry 2 has no secret'],
    ['shop=s3cr3t-a,s3cr3t-b', 'entry 2 has no name'],
    ['=s3cr3t-a', 'entry 1 has no name'],
    [',', 'at least one'],
  ])('named tokens %s are a fault that does not print a secret', (value, fault) => {
    expect(faultOf(namedTokens(), value)).toContain(fault);
    expect(faultOf(namedTokens(), value)).not.toContain('s3cr3t');
  });
});

test('every builder composes with optional and default', () => {
  expect(secret().optional().parse(undefined)).toBeUndefined();
  expect(list().default([]).parse(undefined)).toEqual([]);
  expect(serviceUrl().default('http://a.test').parse(undefined)).toBe('http://a.test');
  expect(
    namedTokens()
      .default([['dev', new Secret('x')]])
      .parse(undefined),
  ).toHaveLength(1);
});

test('a default given to a builder is used when nothing is set', () => {
  const fields = [port(1), durationMs(2), count(3), flag(false), text('a'), oneOf(['b'], 'b')];
  expect(redisUrl('redis://c').parse(undefined).reveal()).toBe('redis://c');
  expect(fields.map((field) => (field as Field<unknown>).parse(undefined))).toEqual([1, 2, 3, false, 'a', 'b']);
});
