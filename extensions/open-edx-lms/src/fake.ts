import { defineFake, type FakeAnswer, type FakeRequest, type Ledger } from '@coordinator/extension';
import { z } from 'zod';
import { isFakeToken, issueFakeToken } from './fake-token.ts';

const CLIENT_ID = 'sandbox';
const CLIENT_SECRET = 'sandbox-secret';
const API_KEY = 'sandbox-api-key';

const tokenForm = z.object({
  grant_type: z.literal('client_credentials'),
  client_id: z.literal(CLIENT_ID),
  client_secret: z.literal(CLIENT_SECRET),
  token_type: z.literal('jwt'),
});

const enrolmentBody = z.object({
  user: z.string(),
  mode: z.string(),
  is_active: z.boolean(),
  course_details: z.object({ course_id: z.string() }),
  enrollment_attributes: z.array(z.object({ namespace: z.string(), name: z.string(), value: z.string() })),
});

const MODES = ['audit', 'honor', 'verified', 'professional', 'no-id-professional', 'credit'];

/**
 * An LMS as far as it is used here. It knows every user but those whose name begins with `unknown`, and every course
 * run with a proper key that does not hold the word `unknown`.
 */
export const openEdxLmsFake = defineFake({
  environment: (baseUrl) => ({
    OPEN_EDX_LMS_URL: baseUrl,
    OPEN_EDX_LMS_CLIENT_ID: CLIENT_ID,
    OPEN_EDX_LMS_CLIENT_SECRET: CLIENT_SECRET,
    OPEN_EDX_LMS_API_KEY: API_KEY,
  }),
  routes: [
    { name: 'lms.token', method: 'POST', path: '/oauth2/access_token', handle: ({ body }) => token(body) },
    { name: 'lms.enrol', method: 'POST', path: '/api/enrollment/v1/enrollment', handle: enrol },
  ],
});

function token(body: unknown): FakeAnswer {
  if (!tokenForm.safeParse(body).success) return { status: 401, body: { error: 'invalid_client' } };
  return { status: 200, body: issueFakeToken(CLIENT_ID), headers: { 'cache-control': 'no-store' } };
}

// The words are those of edx-platform, openedx/core/djangoapps/enrollments/views.py.
function enrol({ headers, body }: FakeRequest, ledger: Ledger): FakeAnswer {
  const [scheme, accessToken] = headers.authorization?.split(' ') ?? [];
  if (scheme !== 'JWT' || accessToken === undefined || !isFakeToken(accessToken)) {
    return { status: 401, body: { detail: 'Error decoding token.' } };
  }
  const wanted = enrolmentBody.safeParse(body);
  if (!wanted.success) return refusal(400, 'Course ID must be specified to create a new enrollment.');
  const { user, mode, is_active, course_details, enrollment_attributes } = wanted.data;
  const courseId = course_details.course_id;
  if (user.startsWith('unknown')) return refusal(406, `The user ${user} does not exist.`);
  if (!/^course-v1:[^+]+\+[^+]+\+[^+]+$/.test(courseId) || /unknown/i.test(courseId)) {
    return refusal(400, `No course '${courseId}' found for enrollment`);
  }
  if (!MODES.includes(mode)) {
    return refusal(400, `The [${mode}] course mode is expired or otherwise unavailable for course run [${courseId}].`);
  }

  const key = headers['idempotency-key'];
  const order = enrollment_attributes.find(({ namespace, name }) => namespace === 'order' && name === 'order_number');
  ledger.record({
    effect: 'lms.enrol',
    subject: `order:${order?.value ?? 'none'}`,
    idempotencyKey: typeof key === 'string' ? key : undefined,
    // An enrolment that exists is answered like a new one.
    identity: `${user} ${courseId}`,
    request: body,
  });
  const created = new Date().toISOString();
  return { status: 200, body: { created, mode, is_active, user, course_details: { course_id: courseId } } };
}

function refusal(status: number, message: string): FakeAnswer {
  return { status, body: { message } };
}
