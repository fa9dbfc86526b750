import { Secret } from '@coordinator/config';
import type { DownstreamAuth } from './downstream-auth.ts';

/**
 * `Authorization: Basic …` (RFC 7617), user and password in UTF-8. The user may be a Secret as well: with some services
 * it is the key, and the password empty.
 *
 * @throws RangeError when the user holds a colon, which the scheme cannot express
 */
export function basic(user: string | Secret, password: Secret): DownstreamAuth {
  const name = user instanceof Secret ? user : new Secret(user);
  if (name.reveal().includes(':')) throw new RangeError('The user of Basic authentication cannot hold a colon');
  return {
    headers: () => ({
      authorization: `Basic ${Buffer.from(`${name.reveal()}:${password.reveal()}`).toString('base64')}`,
    }),
  };
}
