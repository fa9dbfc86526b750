import { secret, serviceUrl, text } from '@coordinator/extension';
import { z } from 'zod';

/** What the extension reads from the environment. */
export const openEdxLmsConfig = z.object({
  /** Base address of the LMS: `https://courses.example.org`. */
  OPEN_EDX_LMS_URL: serviceUrl(),
  /** Of an OAuth2 application with the grant "client credentials" whose user is global staff. */
  OPEN_EDX_LMS_CLIENT_ID: text(),
  /** Secret of that application. */
  OPEN_EDX_LMS_CLIENT_SECRET: secret(),
  /** For an LMS that still gives server-to-server powers by its setting EDX_API_KEY. Default: not sent. */
  OPEN_EDX_LMS_API_KEY: secret().optional(),
});
