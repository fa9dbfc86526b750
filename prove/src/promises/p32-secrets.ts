import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import { TOKEN } from '../stack/stack-options.ts';

const CARD = '4000056655665556';
const CANARIES = { mail: 'canary.bird@example.test', token: 'sk_live_canaryCANARYcanary0123' };

/** Payloads hold what must not be seen, and everything that can go wrong with them does. */
export const secrets: Proof = {
  id: 'P32',
  title: 'Secrets and personal data stay put',
  tier: 'nightly',
  target: 'a card number, an e-mail address and a token: 0 hits in logs, metrics, error texts and the files of Redis',
  run: async ({ start, findings }) => {
    const keys = `k1=${randomBytes(32).toString('base64')}`;
    const stack = await start({ env: { LOG_LEVEL: 'debug', PAYLOAD_KEYS: keys } });
    const padding = JSON.stringify(CANARIES);
    const sendings = ['well', 'ill', 'refusing'].map((destination): Sending => {
      const payload = { note: `p32-${destination}`, destination, padding };
      return { key: payload.note, body: { task: 'deliver', payload } };
    });
    await stack.sink.behave('ill', { kind: 'status', status: 500, count: 2 });
    await stack.sink.behave('refusing', { kind: 'status', status: 400 });
    await stack.driver.drive(sendings, { ratePerSecond: 10 });
    // Refused for what is in it.
    const refusal = await fetch(`${stack.apis[0]?.url}/v1/prove/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ ...delivery('p32-odd').body, [CANARIES.mail]: CARD }),
    });
    const answer = await refusal.text();
    await stack.drained();
    const metrics = await Promise.all(stack.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));

    const logs = [...stack.apis, ...stack.workers].flatMap(({ lines }) => lines);
    const places = { logs, metrics, answers: [answer], 'files of Redis': await filesOf(stack.redis.dir) };
    const secretTexts = [...Object.values(CANARIES), CARD, TOKEN];
    findings.figures.n = logs.length;
    for (const [place, texts] of Object.entries(places)) {
      const hits = texts.filter((text) => secretTexts.some((secret) => text.includes(secret))).length;
      findings.expect(`hits in ${place}`, hits, { is: 0 });
    }
    findings.expect('lines looked through', logs.length, { atLeast: 3 });
  },
};

async function filesOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'latin1')));
}
