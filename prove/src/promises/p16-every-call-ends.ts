import { eventually } from '@coordinator/task-testing';
import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';

const KINDS = ['hang', 'drip', 'huge-body', 'header-flood'] as const;
const CALL_MS = 1_500;
/** 100 ms on a machine of its own; a busy one may be late to look at its clock. */
const SLACK_MS = 500;
const JOBS = 5;

/** Services that never come to an end. */
export const everyCallEnds: Proof = {
  id: 'P16',
  title: 'Every call ends',
  tier: 'pr',
  target:
    'calls that hang, drip, flood or never stop end within their deadline + 100 ms (500 ms on a busy machine); attempts of one job never overlap',
  run: async ({ start, findings }) => {
    const stack = await start({ concurrency: 30, env: { PROVE_CALL_TIMEOUT_MS: String(CALL_MS) } });
    for (const kind of KINDS) await stack.sink.behave(kind, { kind, count: JOBS });
    const sendings = KINDS.flatMap((kind) =>
      Array.from({ length: JOBS }, (_, i) => delivery(`p16-${kind}-${i}`, { destination: kind })),
    );
    await stack.driver.drive(sendings, { ratePerSecond: 100 });
    await settleAccounts(stack, findings, 90_000);

    const calls = await eventually(async () => {
      const all = await stack.sink.calls();
      if (all.some(({ endedAt }) => endedAt === undefined)) throw new Error('a call has not ended');
      return all;
    });
    for (const kind of KINDS) {
      const took = calls
        .filter(({ destination }) => destination === kind)
        .map(({ at, endedAt = Infinity }) => endedAt - at);
      findings.expect(`${kind}: longest call`, Math.max(...took), { atMost: CALL_MS + SLACK_MS }, 'ms');
      findings.expect(`${kind}: calls`, took.length, { atLeast: JOBS });
    }
    findings.expect('overlapping calls of one job', calls.filter(({ overlaps }) => overlaps).length, { is: 0 });
  },
};
