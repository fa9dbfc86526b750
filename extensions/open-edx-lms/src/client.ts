import {
  apiKeyHeader,
  DownstreamClient,
  oauth2ClientCredentials,
  permanent,
  type PayloadOf,
} from '@coordinator/extension';
import { z } from 'zod';
import type { openEdxLmsConfig } from './config.ts';
import { enrolmentRequest } from './enrolment-request.ts';
import { reasonOf } from './refusal.ts';
import type * as tasks from './tasks.ts';

/** How a call is made: once per step, and only as long as the attempt lasts. */
export interface CallOptions {
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

/** What we ask of an LMS. */
export interface LmsClient {
  /** Enrols, or finds the enrolment there is. @throws TaskError permanent when the LMS refuses, or gives another mode */
  enrol(enrolment: PayloadOf<typeof tasks.enrol>, options: CallOptions): Promise<void>;
}

const enrolled = z.object({ mode: z.string(), is_active: z.boolean() });

/** Speaks to the enrolment API of Open edX. Source: edx-platform, openedx/core/djangoapps/enrollments/views.py */
export function createLmsClient(config: z.output<typeof openEdxLmsConfig>): LmsClient {
  const { OPEN_EDX_LMS_URL: baseUrl, OPEN_EDX_LMS_API_KEY: apiKey } = config;
  const token = oauth2ClientCredentials({
    tokenUrl: `${baseUrl}/oauth2/access_token`,
    clientId: config.OPEN_EDX_LMS_CLIENT_ID,
    clientSecret: config.OPEN_EDX_LMS_CLIENT_SECRET,
    style: 'form',
    // Without it the LMS issues an opaque token, which the enrolment API does not take.
    extra: { token_type: 'jwt' },
    scheme: 'JWT',
  });
  const http = new DownstreamClient({
    name: 'lms',
    baseUrl,
    auth: apiKey ? [token, apiKeyHeader('X-Edx-Api-Key', apiKey)] : token,
    // An enrolment runs the LMS's own hooks (consent, e-mail) before it answers. Both end before the attempt does.
    headersTimeoutMs: 20_000,
    totalTimeoutMs: 25_000,
    describeError: reasonOf,
  });
  return {
    async enrol(enrolment, options) {
      const { body } = await http.request({
        method: 'POST',
        path: '/api/enrollment/v1/enrollment',
        params: {},
        json: enrolmentRequest(enrolment),
        answer: enrolled,
        ...options,
      });
      // To a client without the powers of a server it may show the enrolment there was, in the mode that it had.
      if (!body.is_active || body.mode !== enrolment.mode) {
        throw permanent('The LMS did not refuse, and yet the enrolment is not active in the mode that was bought');
      }
    },
  };
}
