import { expect, test } from '@jest/globals';
import { Secret } from '@coordinator/config';
import { apiKeyHeader } from './api-key-header.ts';
import { basic } from './basic.ts';
import { bearer } from './bearer.ts';
import { allOf, type DownstreamAuth } from './downstream-auth.ts';

const headersOf = async (auth: DownstreamAuth) =>
  auth.headers(() => Promise.reject(new Error('There is no token to get')));

test.each([
  ['bearer', bearer(new Secret('sk_1')), { authorization: 'Bearer sk_1' }],
  ['basic', basic('adä', new Secret('p:w')), { authorization: `Basic ${Buffer.from('adä:p:w').toString('base64')}` }],
  ['basic with a secret user', basic(new Secret('key'), new Secret('')), { authorization: 'Basic a2V5Og==' }],
  ['an API key', apiKeyHeader('X-Edx-Api-Key', new Secret('k')), { 'x-edx-api-key': 'k' }],
  [
    'several',
    allOf([bearer(new Secret('t')), apiKeyHeader('X-A', new Secret('k'))]),
    { authorization: 'Bearer t', 'x-a': 'k' },
  ],
  ['none', allOf([]), {}],
])('%s', async (_what, auth, headers) => {
  expect(await headersOf(auth)).toEqual(headers);
});

test('a user with a colon is refused and not quoted', () => {
  expect(() => basic('ada:x', new Secret('p'))).toThrow(
    new RangeError('The user of Basic authentication cannot hold a colon'),
  );
});

test('each of several hears of a refusal', () => {
  const heard: string[] = [];
  const renewable = (name: string): DownstreamAuth => ({
    headers: () => ({}),
    rejected: () => heard.push(name) > 0,
  });
  expect(allOf([renewable('a'), bearer(new Secret('t')), renewable('b')]).rejected?.({})).toBe(true);
  expect(heard).toEqual(['a', 'b']);
  expect(allOf([bearer(new Secret('t'))]).rejected?.({})).toBe(false);
});
