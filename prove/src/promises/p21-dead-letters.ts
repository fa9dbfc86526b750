import { settleAccounts } from '../checker/settle-accounts.ts';
import { delivery, type Sending } from '../driver/sending.ts';
import type { Proof } from '../proof.ts';
import { ADMIN_TOKEN } from '../stack/stack-options.ts';

const JOBS = { pr: 300, nightly: 3_000 };
const DOOMED_EVERY = 100;

/** One job in a hundred can never succeed; workers are killed meanwhile. */
export const deadLetters: Proof = {
  id: 'P21',
  title: 'Dead letters are never lost',
  tier: 'nightly',
  target: 'every job that failed for good is listed with its last attempt, and its replay is one new run',
  run: async ({ tier, start, findings }) => {
    const stack = await start();
    const doomed = (i: number): Sending => {
      const note = `p21-doomed-${i}`;
      return { key: note, body: { task: 'misbehave', payload: { note, how: 'permanent' } } };
    };
    const sendings = Array.from({ length: JOBS[tier] }, (_, i) =>
      i % DOOMED_EVERY === 0 ? doomed(i) : delivery(`p21-${i}`),
    );
    const driving = stack.driver.drive(sendings, { ratePerSecond: 100 });
    await stack.kill('worker', 0);
    await stack.kill('worker', 1);
    await driving;
    await settleAccounts(stack, findings);

    const wanted = JOBS[tier] / DOOMED_EVERY;
    const dead = [...(await stack.dead())];
    findings.expect('dead letters', dead.length, { is: wanted });
    const errors = await stack.fields(dead, 'error');
    findings.expect('dead letters without their error', [...errors.values()].filter((error) => !error).length, {
      is: 0,
    });
    let replayed = 0;
    for (const id of dead) {
      const url = `${stack.apis[0]?.adminUrl}/admin/v1/dead-letters/${id}/replay`;
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
      const { ok } = await fetch(url, {
        method: 'POST',
        headers,
        body: JSON.stringify({ why: 'to see that it can be' }),
      });
      if (ok) replayed += 1;
    }
    findings.expect('dead letters that could be replayed', replayed, { is: wanted });
  },
};
