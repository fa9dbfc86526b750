import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { playFaults } from '../faults/fault-player.ts';
import { faultSchedule } from '../faults/fault-schedule.ts';
import type { Proof } from '../proof.ts';

const JOBS = { pr: 1_000, nightly: 20_000 };
const RATE = 100;

/** Jobs that are traced, while workers, APIs and Redis are killed. */
export const oneStory: Proof = {
  id: 'P31',
  title: 'Every job tells one story',
  tier: 'nightly',
  target: 'every call of every attempt carries the trace in which its job was accepted, through kills',
  run: async ({ tier, random, start, findings }) => {
    // Spans of a killed process are lost with it; what joins the story is what its neighbours carry on.
    const collector = createServer((request, response) => {
      request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = collector.address() as AddressInfo;
      const endpoint = `http://127.0.0.1:${port}`;
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
      const stack = await start({ env });
      await stack.sink.behave('main', { kind: 'ok', delayMs: 30 });
      const sendings = Array.from({ length: JOBS[tier] }, (_, i) => delivery(`p31-${i}`));
      const kills = tier === 'pr' ? { worker: 2, api: 1, redis: 1 } : { worker: 10, api: 5, redis: 5 };
      const schedule = faultSchedule({ random, durationMs: (1_000 * JOBS[tier]) / RATE, kills });
      await Promise.all([stack.driver.drive(sendings, { ratePerSecond: RATE }), playFaults(stack, schedule)]);
      await settleAccounts(stack, findings);

      const envelopes = await stack.fields(stack.ledger.jobIds, 'envelope');
      const traceOf = (jobId: string) => /00-([0-9a-f]{32})-/.exec(envelopes.get(jobId) ?? '')?.[1];
      const calls = await stack.sink.calls();
      const apart = calls.filter(({ jobId, traceId }) => traceId === undefined || traceId !== traceOf(jobId));
      findings.expect('calls outside the trace of their job', apart.length, { is: 0 });
      findings.expect('traces', new Set(calls.map(({ traceId }) => traceId)).size, { atLeast: JOBS[tier] });
    } finally {
      collector.closeAllConnections();
      collector.close();
    }
  },
};
