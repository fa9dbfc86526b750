import { describe, expect, test } from '@jest/globals';
import { readBaseUrl, targetPath } from './target.ts';

const base = readBaseUrl('https://shop.example.test/api/');
const pathOf = (path: string, params?: Record<string, string | number>) => targetPath(base, { path, params });

describe('a path below the base URL', () => {
  test('comes after the path of the base', () => {
    expect(pathOf('/orders/1')).toBe('/api/orders/1');
    expect(targetPath(readBaseUrl('http://a.test'), { path: '/' })).toBe('/');
  });

  test('takes its values percent-encoded', () => {
    const params = { key: 'course-v1:DemoX+CS101+2026', n: 7 };
    expect(pathOf('/courses/{key}/runs/{n}/', params)).toBe('/api/courses/course-v1%3ADemoX%2BCS101%2B2026/runs/7/');
    expect(pathOf('/a/{key}', { key: 'x/y?z#ä {n}' })).toBe('/api/a/x%2Fy%3Fz%23%C3%A4%20%7Bn%7D');
  });

  test('takes a query: lists repeat, undefined is left out', () => {
    const query = { expand: ['state', 'lines'], page: 2, all: true, none: undefined, 'q[]': 'a&b c' };
    expect(targetPath(base, { path: '/orders', query })).toBe(
      '/api/orders?expand=state&expand=lines&page=2&all=true&q%5B%5D=a%26b+c',
    );
  });
});

test.each([
  'https://evil.test/',
  'http:/evil.test',
  '//evil.test/x',
  '/a//b',
  '\\\\evil.test\\x',
  '/\\evil.test',
  '/a\\..\\b',
  'user:pw@evil.test/',
  '@evil.test',
  ':8080/x',
  'x',
  '',
  '/a?b=c',
  '/a#b',
  '/a b',
  '/a\r\nhost: evil.test',
  '/ä',
  '/../admin',
  '/a/..',
  '/a/./b',
  '/a/%2E%2e/b',
  '/a/..%2fb',
  '/a/..%5Cb',
  '/{id}',
  '/{',
  '/{id',
  '/id}',
])('the path %j is refused', (path) => {
  expect(() => pathOf(path)).toThrow(RangeError);
});

test.each(['', '.', '..', '../admin', 'x/../../admin', '..\\admin', '\ud800'])('the value %j is refused', (id) => {
  expect(() => pathOf('/users/{id}/orders', { id })).toThrow(RangeError);
});

test('what an object inherits is no value', () => {
  expect(() => pathOf('/users/{toString}', {})).toThrow('its path has no value for {toString}');
});

test.each([
  'ftp://a.test',
  'file:///etc/passwd',
  'a.test',
  '/x',
  'http://user@a.test',
  'http://:pw@a.test',
  'http://a.test/?',
  'http://a.test/#x',
  'http://127.1',
  'http://0177.0.0.1',
  'http://0x7f.1',
  'http://2852039166',
  'http://[::ffff:169.254.169.254]',
  'http://ａ.test',
  'http:\\\\a.test',
  'http://good.com\\@evil.test',
])('the base URL %s is refused without being quoted', (text) => {
  expect(() => readBaseUrl(text)).toThrow(/^A base URL must be an http:\/\/ or https:\/\/ address without/);
});

test.each([
  'http://169.254.169.254',
  'http://[::ffff:a9fe:a9fe]/x',
  'http://[64:ff9b::a9fe:a9fe]',
  'http://0.0.0.0:80',
  'http://[ff02::1]',
])('the base URL %s leads where no call may go', (text) => {
  expect(() => readBaseUrl(text)).toThrow(/^A base URL must not name an address that is link-local/);
});

test.each([
  ['http://127.0.0.1:8090', 'http://127.0.0.1:8090/'],
  ['http://[::1]:8090', 'http://[::1]:8090/'],
  ['http://10.0.0.7', 'http://10.0.0.7/'],
  ['https://Shop.example.test/Api', 'https://shop.example.test/Api'],
])('the base URL %s is one, and a private address in it is meant', (text, href) => {
  expect(readBaseUrl(text).href).toBe(href);
});
