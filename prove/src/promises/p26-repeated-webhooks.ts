import { settleAccounts } from '../checker/settle-accounts.ts';
import { shuffled } from '../faults/random.ts';
import type { Proof } from '../proof.ts';
import { WEBHOOK_SECRET } from '../stack/stack-options.ts';

const EVENTS = { pr: 100, nightly: 2_000 };
const MOST_REPEATS = 20;
const SENDERS = 20;

/** A provider sends its events again and again, in any order. */
export const repeatedWebhooks: Proof = {
  id: 'P26',
  title: 'Repeated webhooks do nothing',
  tier: 'nightly',
  target: 'one job per event id, 2xx every time, though each is sent 1 to 20 times, shuffled, over both APIs',
  run: async ({ tier, random, start, findings }) => {
    const stack = await start();
    const events = EVENTS[tier];
    const sendings = shuffled(
      Array.from({ length: events }, (_, i) =>
        Array<string>(1 + Math.floor(random() * MOST_REPEATS)).fill(`evt-${i}`),
      ).flat(),
      random,
    );
    let odd = 0;
    let next = 0;
    const send = async () => {
      while (next < sendings.length) {
        const i = next++;
        const id = sendings[i] ?? '';
        const url = `${stack.apis[i % stack.apis.length]?.url}/webhooks/prove`;
        const headers = { 'content-type': 'application/json', 'x-prove-secret': WEBHOOK_SECRET };
        const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ id }) });
        const { jobs = [] } = (await answer.json()) as { jobs?: { jobId: string }[] };
        if (answer.status !== 202) odd += 1;
        await Promise.all(jobs.map(({ jobId }) => stack.ledger.ack(id, jobId)));
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
    findings.figures.n = events;
    const { accepted } = await stack.drained();
    findings.expect('jobs beyond one per event', accepted - events, { is: 0 });
    findings.expect('answers other than 202', odd, { is: 0 });
    findings.notes.push(`${sendings.length} webhooks; that keys are kept for days is shown by P25, not by waiting`);
    await settleAccounts(stack, findings);
  },
};
