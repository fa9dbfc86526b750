import { describe, expect, test } from '@jest/globals';
import { adminTokens } from './admin-tokens-field.ts';

const faultOf = (text: string) => adminTokens().safeParse(text).error?.issues[0]?.message;

describe('tokens of those who run the Coordinator', () => {
  test('are found by name, with what each may do; a secret may hold what separates', () => {
    const tokens = adminTokens().parse('alice=a=b:c==:read+operate+payload, bob=s3cr3t-b:read');
    expect([...tokens].map(([name, { secret, scopes }]) => [name, secret.reveal(), [...scopes]])).toEqual([
      ['alice', 'a=b:c==', ['read', 'operate', 'payload']],
      ['bob', 's3cr3t-b', ['read']],
    ]);
  });

  test.each([
    ['alice=s3cr3t', 'entry 1 has a scope that is none of read, operate, payload'],
    ['alice=s3cr3t:', 'entry 1 has a scope that is none of read, operate, payload'],
    ['alice=s3cr3t:read+write', 'entry 1 has a scope that is none of read, operate, payload'],
    ['alice=:read', 'entry 1 has no secret'],
    ['alice=s3cr3t words:read', 'entry 1 has no secret'],
    ['=s3cr3t:read', 'entry 1 has no name'],
    ['s3cr3t:read', 'entry 1 has no name'],
    ['al ice=s3cr3t:read', 'entry 1 has a name with other signs'],
    ['alice=s3cr3t-a:read,alice=s3cr3t-b:read', 'entry 2 repeats a name'],
    ['alice=s3cr3t:read,bob=s3cr3t:read+operate', 'entry 2 repeats a secret'],
    ['alice=s3cr3t,=s3cr3t-b:read', 'entry 1 has a scope that is none of read, operate, payload, entry 2 has no name'],
    [',', 'must be name=secret:scope+scope entries'],
  ])('%s is a fault that does not print a secret', (text, fault) => {
    expect(faultOf(text)).toContain(fault);
    expect(faultOf(text)).not.toContain('s3cr3t');
  });
});
