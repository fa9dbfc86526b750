import { Secret, type AdminToken } from '@coordinator/config';
import { describe, expect, test } from '@jest/globals';
import { checkedTokens, type TokenSettings } from './checked-tokens.ts';

const callers = [['shop', new Secret('s3cr3t-shop')]] as const;
const admins = (secret = 's3cr3t-alice') =>
  new Map<string, AdminToken>([['alice', { secret: new Secret(secret), scopes: new Set(['read']) }]]);

function faultsOf(settings: TokenSettings): string {
  try {
    checkedTokens(settings);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('the tokens of an API', () => {
  test('have to be there in production, both kinds', () => {
    const faults = faultsOf({ NODE_ENV: 'production' });
    expect(faults).toContain('API_TOKENS: set it to the callers');
    expect(faults).toContain('ADMIN_TOKENS: set it to those who run this');
    expect(faultsOf({ NODE_ENV: 'production', API_TOKENS: callers })).toContain('ADMIN_TOKENS');
    expect(faultsOf({ NODE_ENV: 'production', API_TOKENS: callers, ADMIN_TOKENS: admins() })).toBe('');
    const issuer = { API_JWT_KEYS_FILE: '/run/secrets/keys', ADMIN_TOKENS: admins() };
    expect(faultsOf({ NODE_ENV: 'production', ...issuer })).toBe('');
  });

  test('may be missing in development: nobody may call then', () => {
    const none = checkedTokens({ NODE_ENV: 'development' });
    expect([none.tokens.length, none.adminTokens.size]).toEqual([0, 0]);
  });

  test('are not those of a caller and of an operator at once, and the fault prints no secret', () => {
    const shared = { NODE_ENV: 'development', API_TOKENS: callers, ADMIN_TOKENS: admins('s3cr3t-shop') };
    expect(faultsOf(shared)).toContain('ADMIN_TOKENS: the secret of alice stands in API_TOKENS as well');
    expect(faultsOf(shared)).not.toContain('s3cr3t');
  });
});
