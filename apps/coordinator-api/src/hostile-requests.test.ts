import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leakChecks, privateRedis } from '@coordinator/task-testing';
import { hostileRequests } from './fixtures/hostile-requests/index.ts';
import { RawConnection, type RawAnswer } from './fixtures/raw-connection.ts';
import { getRequest, MARKER } from './fixtures/raw-request.ts';
import { startApi, type RunningApi } from './fixtures/running-api.ts';

const PREFIX = '{hostile}';

let api: RunningApi;
const connections: RawConnection[] = [];
afterAll(async () => {
  for (const connection of connections) connection.end();
  await api.close();
});
const redis = privateRedis();
leakChecks(redis);
// One process for all rows: what one row breaks, the next ones see.
beforeAll(async () => {
  api = await startApi({ redisUrl: redis.url, prefix: PREFIX });
});

/** Writes bytes and gives the first answer. */
async function send(bytes: string | Buffer): Promise<{ answer: RawAnswer; connection: RawConnection }> {
  const connection = new RawConnection(api.port).write(bytes);
  connections.push(connection);
  const [answer] = await connection.answered();
  return { answer: answer!, connection };
}

async function storedJobs(): Promise<number> {
  return ((await redis.command('KEYS', `${PREFIX}:job:*`)) as string[]).length;
}

function expectProblem({ status, headers, body }: RawAnswer, code: string): void {
  expect(headers.get('content-type')).toBe('application/problem+json');
  // The answer to a HEAD.
  if (body === '' && Number(headers.get('content-length')) > 0) return;
  expect(JSON.parse(body)).toMatchObject({
    ...{ status, code, type: `urn:commerce-coordinator:error:${code}` },
    ...{ title: expect.any(String), detail: expect.any(String), requestId: expect.stringMatching(/^[0-9a-f]{32}$/) },
  });
}

describe.each(hostileRequests)('$name', ({ bytes, status, code, headers = {}, closes }) => {
  test(`is answered ${status}`, async () => {
    const { answer, connection } = await send(await bytes());

    expect(answer.status).toBe(status);
    if (code !== undefined) expectProblem(answer, code);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...{ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers },
    });
    expect(answer.headers.has('x-powered-by')).toBe(false);
    const whole = `${[...answer.headers].join('\n')}\n${answer.body}`;
    expect(whole).not.toMatch(new RegExp(MARKER, 'i'));
    expect(whole).not.toMatch(/\.(js|ts):\d|node_modules|ZodError|SyntaxError/);
    expect(await storedJobs()).toBe(status === 202 ? 1 : 0);
    if (closes) await connection.closed();
    expect((await send(getRequest('/livez'))).answer.status).toBe(200);
  });
});
