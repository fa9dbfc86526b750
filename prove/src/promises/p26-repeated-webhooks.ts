import { Pool } from 'undici';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { shuffled } from '../faults/random.ts';
import type { Proof, Scene } from '../proof.ts';
import { passTime } from '../stack/passing-time.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';
import { WEBHOOK_SECRET } from '../stack/stack-options.ts';

const HOUR_MS = 3_600_000;
const SIZES = { pr: { events: 100, most: 20 }, nightly: { events: 10_000, most: 100 } };
const SENDERS = 20;
/** The days are so many stretches, with time that passes between them. */
const STRETCHES = 8;
/** From the first webhook to the last: keys are kept for 96 h, and the run itself takes some of them. */
const SPAN_MS = 95 * HOUR_MS;
/** After that, keys have to be gone: else no time has passed. */
const BEYOND_MS = 2 * HOUR_MS;

/** A provider sends its events again and again, in any order, for days. */
export const repeatedWebhooks: Proof = {
  id: 'P26',
  title: 'Repeated webhooks do nothing',
  tier: 'nightly',
  target:
    'one job per event id, 2xx every time, though each is sent 1 to 100 times over 4 days, shuffled, over both APIs',
  run: async ({ tier, random, start, findings }) => {
    const stack = await start();
    const { events, most } = SIZES[tier];
    const ids = Array.from({ length: events }, (_, i) => `evt-${i}`);
    const sendings = shuffled(ids.map((id) => Array<string>(1 + Math.floor(random() * most)).fill(id)).flat(), random);
    const provider = new Provider(stack);
    try {
      // The first and the last of each are as far apart as they can be.
      await provider.send(shuffled(ids, random));
      for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
        await passTime(stack, SPAN_MS / STRETCHES);
        const from = Math.floor((stretch * sendings.length) / STRETCHES);
        await provider.send(sendings.slice(from, Math.floor(((stretch + 1) * sendings.length) / STRETCHES)));
      }
      await provider.send(shuffled(ids, random));
      findings.figures.n = events;
      const { accepted } = await stack.drained();
      findings.expect('jobs beyond one per event', accepted - events, { is: 0 });
      findings.expect('answers other than 202', provider.odd, { is: 0 });
      findings.notes.push(
        `${provider.sent} webhooks over ${SPAN_MS / HOUR_MS} h, which passed for Redis: they were taken from what its keys had left`,
      );
      await settleAccounts(stack, findings);
      await forgetInTheEnd(stack, provider, findings, events);
    } finally {
      await provider.close();
    }
  },
};

/** That time has passed shows by what comes too late: it is a new job. */
async function forgetInTheEnd(
  stack: ProvingStack,
  provider: Provider,
  findings: Scene['findings'],
  events: number,
): Promise<void> {
  await passTime(stack, BEYOND_MS);
  await provider.send(['evt-0']);
  const { accepted } = await stack.drained();
  findings.expect('jobs of an event that comes again after 97 h', accepted - events, { is: 1 });
}

class Provider {
  /** Answers other than 202. */
  odd = 0;
  sent = 0;
  readonly #stack: ProvingStack;
  readonly #pools: readonly Pool[];

  constructor(stack: ProvingStack) {
    this.#stack = stack;
    this.#pools = stack.apis.map(({ url }) => new Pool(url, { connections: SENDERS }));
  }

  /** Sends each, to the APIs in turns, some at once. */
  async send(ids: readonly string[]): Promise<void> {
    let next = 0;
    const sendSome = async () => {
      for (let i = next++; i < ids.length; i = next++) await this.#sendOne(ids[i] ?? '');
    };
    await Promise.all(Array.from({ length: SENDERS }, sendSome));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }

  async #sendOne(id: string): Promise<void> {
    const pool = this.#pools[this.sent++ % this.#pools.length] as Pool;
    const answer = await pool.request({
      method: 'POST',
      path: '/webhooks/prove',
      headers: { 'content-type': 'application/json', 'x-prove-secret': WEBHOOK_SECRET },
      body: JSON.stringify({ id }),
    });
    const { jobs = [] } = (await answer.body.json()) as { jobs?: { jobId: string }[] };
    if (answer.statusCode !== 202) this.odd += 1;
    await Promise.all(jobs.map(({ jobId }) => this.#stack.ledger.ack(id, jobId)));
  }
}
