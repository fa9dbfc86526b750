import { freePort } from '@coordinator/task-testing';
import { createServer } from 'node:net';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import { percentile } from '../percentile.ts';
import type { Proof } from '../proof.ts';

const RATE = 100;
const WINDOW_S = { pr: 5, nightly: 60 };

/** The collector of traces refuses, or takes and never answers. */
export const telemetryDead: Proof = {
  id: 'P30',
  title: 'Telemetry can die',
  tier: 'nightly',
  target:
    'with a collector that hangs or refuses: accept p99 at most 1.1 × that of an API that exports nothing + 5 ms, lost 0',
  run: async ({ tier, start, findings }) => {
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const address = hanging.address();
    const ports = { hanging: typeof address === 'object' && address ? address.port : 0, refusing: await freePort() };
    try {
      for (const [name, port] of Object.entries(ports)) {
        const traced = {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        };
        // The two APIs take requests in turns: one exports, the other does not.
        const stack = await start({ envOf: { 'api-2': traced, 'worker-1': traced, 'worker-2': traced } });
        const jobs = RATE * WINDOW_S[tier];
        await stack.driver.drive(
          Array.from({ length: RATE * 3 }, (_, i) => delivery(`p30-${name}-warm-${i}`)),
          { ratePerSecond: RATE },
        );
        const before = stack.driver.answers.length;
        const sendings = Array.from({ length: jobs }, (_, i) => delivery(`p30-${name}-${i}`));
        await stack.driver.drive(sendings, { ratePerSecond: RATE });
        const answers = stack.driver.answers.slice(before);
        const took = (api: string) =>
          percentile(
            answers.filter((answer) => answer.api === api).map(({ dueAt, endedAt }) => endedAt - dueAt),
            0.99,
          );
        const [plain, exporting] = stack.apis.map(({ url }) => took(url));
        const most = Math.round(1.1 * (plain ?? NaN) + 5);
        findings.expect(`${name}: accept p99`, exporting ?? NaN, { atMost: most }, 'ms');
        await settleAccounts(stack, findings);
        await stack.stop();
      }
    } finally {
      hanging.close();
    }
  },
};
