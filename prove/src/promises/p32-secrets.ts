import { eventually } from '@coordinator/task-testing';
import { REPOSITORY } from '@coordinator/tools';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { ADMIN_TOKEN, READER_TOKEN, TOKEN } from '../stack/stack-options.ts';
import { TraceCollector } from '../stack/trace-collector.ts';

const CARD = '4000056655665556';
const CANARIES = { mail: 'canary.bird@example.test', token: 'sk_live_canaryCANARYcanary0123' };

/** Payloads, headers and URLs hold what must not be seen, and everything that can go wrong with them does. */
export const secrets: Proof = {
  id: 'P32',
  title: 'Secrets and personal data stay put',
  tier: 'nightly',
  target:
    'a card number, an e-mail address and a token in bodies, headers, URLs and answers: 0 hits in logs, spans, metrics, error texts, lists of dead letters and the files of Redis',
  run: async ({ start, findings }) => {
    const exports: string[] = [];
    const collector = await TraceCollector.start(1_000, (text) => exports.push(text));
    try {
      const keys = `k1=${randomBytes(32).toString('base64')}`;
      const stack = await start({ env: { ...collector.env, LOG_LEVEL: 'debug', PAYLOAD_KEYS: keys } });
      const padding = JSON.stringify(CANARIES);
      const sendings = ['well', 'ill', 'refusing'].map((destination): Sending => {
        const payload = { note: `p32-${destination}`, destination, padding };
        return { key: payload.note, body: { task: 'deliver', payload } };
      });
      const echo = { 'x-echo': CANARIES.mail, 'set-cookie': `session=${CANARIES.token}` };
      await stack.sink.behave('ill', { kind: 'status', status: 500, headers: echo, count: 2 });
      await stack.sink.behave('refusing', { kind: 'status', status: 400, headers: echo });
      await stack.driver.drive(sendings, { ratePerSecond: 10 });
      const answers = await odd(stack);
      await stack.drained();
      for (const jobId of stack.ledger.jobIds) answers.push(await textOf(`${stack.apis[0]?.url}/v1/jobs/${jobId}`));
      const dead = await listOfDeadLetters(stack);
      const shown = await answersOfAdmin(stack);
      const metrics = await Promise.all(stack.workers.map(({ url }) => textOf(`${url}/metrics`)));
      await eventually(() => {
        const spans = exports.join('');
        if (!stack.ledger.jobIds.every((id) => spans.includes(id))) throw new Error('spans are on their way');
      });
      await stack.command('SAVE');

      const logs = [...stack.apis, ...stack.workers].flatMap(({ lines }) => lines);
      const files = await filesOf(stack.redis.dir);
      const places = {
        logs,
        spans: exports,
        metrics,
        answers,
        'lists of dead letters': [dead],
        'answers to operators without the scope payload, and the audit log': shown.withheld,
        'files of Redis': files,
      };
      const secretTexts = [...Object.values(CANARIES), CARD, TOKEN, ADMIN_TOKEN, READER_TOKEN];
      findings.figures.n = logs.length;
      for (const [place, texts] of Object.entries(places)) {
        const hits = texts.filter((text) => secretTexts.some((secret) => text.includes(secret))).length;
        findings.expect(`hits in ${place}`, hits, { is: 0 });
      }
      findings.expect('lines looked through', logs.length, { atLeast: 3 });
      findings.expect('dead letters looked through', dead.includes('p32-') || dead.includes('prove.deliver') ? 1 : 0, {
        is: 1,
      });
      const seen = shown.payloads.filter((text) => text.includes(CANARIES.mail)).length;
      findings.expect('payloads shown to the scope payload', seen, { atLeast: 1 });
      findings.expect('snapshots of Redis looked through', files.filter((file) => file.startsWith('REDIS')).length, {
        atLeast: 1,
      });
    } finally {
      collector.stop();
    }
  },
};

/** Requests that are refused: for what is in the body, for their token, and for what is in the URL. */
async function odd(stack: ProvingStack): Promise<string[]> {
  const url = `${stack.apis[0]?.url}/v1/prove/jobs`;
  const headers = { 'content-type': 'application/json', 'x-customer': CANARIES.mail };
  const body = JSON.stringify({ ...delivery('p32-odd').body, [CANARIES.mail]: CARD });
  const good = { authorization: `Bearer ${TOKEN}`, 'idempotency-key': 'p32-odd' };
  const bad = { authorization: `Bearer ${CANARIES.token}` };
  const post = async (to: string, more: Record<string, string>) =>
    (await fetch(to, { method: 'POST', headers: { ...headers, ...more }, body })).text();
  return [
    await post(url, good),
    await post(url, bad),
    await post(`${url}?token=${CANARIES.token}`, good),
    await textOf(`${stack.apis[0]?.url}/v1/jobs/${CANARIES.mail}`),
  ];
}

async function textOf(url: string): Promise<string> {
  return (await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } })).text();
}

/** `npm run dead-letters`, as an operator sees it. */
async function listOfDeadLetters(stack: ProvingStack): Promise<string> {
  const main = join(REPOSITORY, 'tools', 'dist', 'dead-letters.js');
  return (await promisify(execFile)(process.execPath, [main, '--json'], { env: stack.operatorEnv })).stdout;
}

/** What the admin API tells of the jobs to somebody who may not see payloads, and to somebody who may, with a careless reason. */
async function answersOfAdmin(stack: ProvingStack): Promise<{ withheld: string[]; payloads: string[] }> {
  const reader = { token: READER_TOKEN };
  const jobs = stack.ledger.jobIds.map((id) => `/jobs/${id}`);
  const payloads = await Promise.all(jobs.map((path) => stack.askAdmin(`${path}?why=${CANARIES.mail}`)));
  const paths = [...jobs, '/jobs?state=dead', '/dead-letters', '/queues', '/downstreams', '/audit-log'];
  return { withheld: await Promise.all(paths.map((path) => stack.askAdmin(path, reader))), payloads };
}

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')));
}
