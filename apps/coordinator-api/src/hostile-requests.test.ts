import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leakChecks, privateRedis, RecordingLog, recordSpans } from '@coordinator/task-testing';
import { inspect } from 'node:util';
import { hostileRequests, issuer, tokens } from './fixtures/hostile-requests/index.ts';
import { JwtFile } from './fixtures/jwt-issuer.ts';
import { RawConnection, type RawAnswer } from './fixtures/raw-connection.ts';
import { getRequest, MARKER } from './fixtures/raw-request.ts';
import { startApi, type RunningApi } from './fixtures/running-api.ts';

const PREFIX = '{hostile}';

const log = new RecordingLog();
const recording = recordSpans();
const jwtFile = new JwtFile(issuer.publicJwk);
let api: RunningApi;
const connections: RawConnection[] = [];
afterAll(async () => {
  for (const connection of connections) connection.end();
  await api.close();
  jwtFile.remove();
  await recording.stop();
});
const redis = privateRedis();
leakChecks(redis);
// One process for all rows: what one row breaks, the next ones see.
beforeAll(async () => {
  api = await startApi({ redisUrl: redis.url, prefix: PREFIX, log, jwt: jwtFile.check({ log }) });
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

/** Tokens, and each part of those that have parts. */
function tokensIn(bytes: string | Buffer): readonly string[] {
  return bytes.toString('latin1').match(/shop-token|eyJ[\w-]{8,}/g) ?? [];
}

describe.each(hostileRequests)('$name', ({ bytes, status, code, headers = {}, closes }) => {
  test(`is answered ${status}`, async () => {
    const sent = await bytes();
    const { answer, connection } = await send(sent);

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
    const told = inspect([log.lines, recording.spans()], { depth: null, maxStringLength: null });
    for (const secret of tokensIn(sent)) expect(told).not.toContain(secret);
    if (closes) await connection.closed();
    expect((await send(getRequest('/livez'))).answer.status).toBe(200);
  });
});

test('what is wrong with a token is told to nobody who shows it', async () => {
  const answers = new Set<string>();
  for (const { bytes } of tokens.filter(({ status }) => status === 401)) {
    const { answer } = await send(await bytes());
    const { status, headers, body } = answer;
    const lasting = [...headers].filter(([name]) => name !== 'date');
    answers.add(JSON.stringify([status, lasting, { ...JSON.parse(body), requestId: '' }]));
  }
  expect([...answers]).toHaveLength(1);
});
