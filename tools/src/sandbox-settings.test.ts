import { expect, test } from '@jest/globals';
import { parseSettings } from './sandbox-settings.ts';

test('settings of the sandbox are read line by line, with whatever a value holds', () => {
  const text = 'STRIPE_API_URL=http://127.0.0.1:8090/stripe?a=b\nnot a setting\nSTRIPE_SECRET_KEY=sk_test==\r\n';
  expect(parseSettings(text)).toEqual({
    STRIPE_API_URL: 'http://127.0.0.1:8090/stripe?a=b',
    STRIPE_SECRET_KEY: 'sk_test==',
  });
});
