import { createHmac } from 'node:crypto';

const KEY = 'key of the fake LMS';
const LIFETIME_S = 3_600;

/** What the token route of Open edX answers. Source: edx-rest-api-client, https://github.com/openedx/edx-rest-api-client */
export interface FakeTokenAnswer {
  readonly access_token: string;
  readonly token_type: 'JWT';
  /** Seconds. */
  readonly expires_in: number;
  readonly scope: string;
}

/** Issues a token that {@link isFakeToken} knows again, without a memory of it. */
export function issueFakeToken(clientId: string): FakeTokenAnswer {
  const claims = {
    preferred_username: clientId,
    administrator: true,
    exp: Math.floor(Date.now() / 1_000) + LIFETIME_S,
  };
  const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return {
    access_token: `${content}.${sign(content)}`,
    token_type: 'JWT',
    expires_in: LIFETIME_S,
    scope: 'read write profile email',
  };
}

/** Whether a token was issued by {@link issueFakeToken} and has not run out. */
export function isFakeToken(token: string): boolean {
  const [header, claims, signature] = token.split('.');
  if (header === undefined || claims === undefined || signature !== sign(`${header}.${claims}`)) return false;
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
  return exp > Date.now() / 1_000;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sign(content: string): string {
  return createHmac('sha256', KEY).update(content).digest('base64url');
}
