import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fakeDownstream, leakChecks, startHarness, type FakeServer } from '@coordinator/task-testing';
import { openEdxLmsFake } from '../fake.ts';
import { shop } from '../fixtures/shop.ts';
import { openEdxLms } from '../index.ts';
import { enrol } from '../tasks.ts';

const HOUR_MS = 3_600_000;
const enrolment = {
  orderNumber: 'D-1001',
  lineId: 'l1',
  username: 'ada',
  courseId: 'course-v1:DemoX+CS101+2026',
  mode: 'verified',
  placedAt: '2026-01-02T03:04:05Z',
};

let lms: FakeServer;
beforeAll(async () => {
  lms = await fakeDownstream(openEdxLmsFake);
});
beforeEach(() => lms.reset());
afterAll(() => lms.close());
leakChecks();

/** Runs one enrolment to its end. */
async function run(changes: Partial<typeof enrolment> = {}, environment = lms.environment()) {
  const harness = await startHarness({ extensions: [shop, openEdxLms], environment });
  await harness.queue.enqueue(enrol, { ...enrolment, ...changes }, { subject: 'order:D-1001' });
  const attempts = await harness.drain();
  const [job] = harness.jobs();
  return { outcomes: attempts.map(({ outcome }) => outcome), job: job!, log: harness.log.lines };
}

describe('an enrolment', () => {
  test('is made with a token, the API key and the key of its step', async () => {
    const { outcomes, job } = await run();

    expect(outcomes).toEqual([{ kind: 'completed' }]);
    expect(lms.ledger()).toMatchObject([
      { effect: 'lms.enrol', subject: 'order:D-1001', idempotencyKey: `${job.jobId}:enrol`, repeats: 0 },
    ]);
    expect(lms.requests('lms.token')).toMatchObject([
      { body: { grant_type: 'client_credentials', client_id: 'sandbox', token_type: 'jwt' } },
    ]);
    expect(lms.requests('lms.enrol')).toMatchObject([
      { headers: { authorization: expect.stringMatching(/^JWT .+/), 'x-edx-api-key': 'sandbox-api-key' } },
    ]);
  });

  test('is made without an API key where there is none', async () => {
    await run({}, { ...lms.environment(), OPEN_EDX_LMS_API_KEY: '' });

    expect(lms.requests('lms.enrol')[0]?.headers).not.toHaveProperty('x-edx-api-key');
    expect(lms.ledger()).toHaveLength(1);
  });

  test('that exists already is fine', async () => {
    await run();
    const { outcomes } = await run({ orderNumber: 'D-1002' });

    expect(outcomes).toEqual([{ kind: 'completed' }]);
    expect(lms.ledger()).toMatchObject([{ subject: 'order:D-1001', repeats: 1 }]);
  });

  test.each([
    ['a user that the LMS does not know', { username: 'unknown-ada' }, '406 (user-unknown)'],
    ['a course that the LMS does not know', { courseId: 'course-v1:Unknown+X+1' }, '400 (course-unknown)'],
    ['a mode that the course does not have', { mode: 'gold' }, '400 (mode-unavailable)'],
  ])('for %s is dead at once, and says why without personal data', async (_, changes, reason) => {
    const { outcomes, job, log } = await run(changes);

    expect(outcomes).toMatchObject([{ kind: 'dead', reason: 'permanent' }]);
    expect(job.error).toEqual({
      code: 'COORD_DOWNSTREAM_REFUSED',
      message: `lms: POST /api/enrollment/v1/enrollment answered ${reason}`,
    });
    // As a word of its own: the id of a job may hold these letters.
    expect(JSON.stringify(log)).not.toMatch(/\bada\b/);
    expect(lms.ledger()).toEqual([]);
  });

  test('that the LMS forbids is dead at once', async () => {
    lms.fail({ route: 'lms.enrol', mode: '403' });

    expect((await run()).outcomes).toMatchObject([{ kind: 'dead', reason: 'permanent' }]);
  });

  test('that is answered in another mode than was bought is dead, not done', async () => {
    const audit = await fakeDownstream({
      ...openEdxLmsFake,
      routes: openEdxLmsFake.routes.map((route) =>
        route.name === 'lms.enrol'
          ? { ...route, handle: () => ({ status: 200, body: { mode: 'audit', is_active: true } }) }
          : route,
      ),
    });
    const { outcomes } = await run({}, audit.environment());
    await audit.close();

    expect(outcomes).toMatchObject([{ kind: 'dead', reason: 'permanent' }]);
  });

  test('that the LMS cannot take now is tried again within half a second', async () => {
    lms.fail({ route: 'lms.enrol', mode: '503' });
    const { outcomes } = await run();

    expect(outcomes).toMatchObject([{ kind: 'retried', delayMs: 500 }, { kind: 'completed' }]);
    expect(lms.ledger()).toMatchObject([{ repeats: 0 }]);
  });

  test('waits for a token that cannot be had now', async () => {
    lms.fail({ route: 'lms.token', mode: '503' });

    expect((await run()).outcomes).toMatchObject([{ kind: 'retried' }, { kind: 'completed' }]);
  });

  test('fetches another token when the LMS no longer takes the one it has', async () => {
    lms.fail({ route: 'lms.enrol', mode: '401' });
    const { outcomes } = await run();

    expect(outcomes).toEqual([{ kind: 'completed' }]);
    expect(lms.requests('lms.token')).toHaveLength(2);
  });

  test('waits as long as the LMS asks when it is called too often, and spends no attempt on it', async () => {
    lms.fail({ route: 'lms.enrol', mode: '429', retryAfter: 120 });
    const { outcomes, job } = await run();

    expect(outcomes).toMatchObject([{ kind: 'snoozed', delayMs: 120_500 }, { kind: 'completed' }]);
    expect(job.attempt).toBe(1);
  });

  test('whose answer was lost is asked for again under the same key, and happens once', async () => {
    lms.fail({ route: 'lms.enrol', mode: 'dropResponseAfterEffect' });
    const { outcomes, job } = await run();

    expect(outcomes).toMatchObject([
      { kind: 'retried', error: { code: 'COORD_DOWNSTREAM_UNKNOWN_OUTCOME' } },
      { kind: 'completed' },
    ]);
    expect(lms.ledger()).toMatchObject([{ idempotencyKey: `${job.jobId}:enrol`, repeats: 1 }]);
    const keys = lms.requests('lms.enrol').map(({ headers }) => headers['idempotency-key']);
    expect(keys).toEqual([`${job.jobId}:enrol`, `${job.jobId}:enrol`]);
  });

  test('survives an LMS that is away for three days', async () => {
    lms.fail({ route: 'lms.enrol', mode: '503', count: 84 });
    const { outcomes, job } = await run();

    expect(outcomes).toHaveLength(85);
    expect(outcomes.at(-1)).toEqual({ kind: 'completed' });
    expect(job.finishedAtMs! - job.createdAtMs).toBeGreaterThan(72 * HOUR_MS);
  });

  test('is given up after four days, when somebody must look', async () => {
    lms.fail({ route: 'lms.enrol', mode: '503', count: 1_000 });
    const { outcomes, job } = await run();

    expect(outcomes.at(-1)).toMatchObject({ kind: 'dead', reason: 'gave-up' });
    expect(job.finishedAtMs! - job.createdAtMs).toBeGreaterThan(94 * HOUR_MS);
  });
});
