import assert from 'node:assert/strict';
import { eventually, type RecordedTrace } from '@coordinator/task-testing';
import { askSandbox, type DemoTarget, jobsOf, sendOrder, tellSandbox } from '../../demo-traffic.ts';
import type { ContainerStack } from './container-stack.ts';
import { checkOrderTrace, traceLines } from './order-trace.ts';

const WAIT = { deadlineMs: 30_000 };
/** Long enough for the worker to be told to stop meanwhile. */
const SLOW_MS = 3_000;
/** The course platform enrols a customer in a course once. */
const OTHER_CUSTOMER = { id: '43', username: 'grace', email: 'grace@example.test' };

/** Sees an order through, and gives the lines of its trace. @throws Error that says what does not hold */
export async function checkOrder({ target }: ContainerStack, release: string): Promise<string[]> {
  const { orderNumber } = await sendOrder(target, `IMAGES-${process.pid}`);
  const traceId = await completed(target, orderNumber, ['orders.fulfil', 'lms.enrol']);
  return eventually(async () => {
    const trace = await askSandbox<RecordedTrace>(target, `/__traces/${traceId}`);
    checkOrderTrace(trace?.spans ?? [], release);
    return traceLines(trace?.spans ?? []);
  }, WAIT);
}

/** Sees an order of a parcel through, which only the extension from elsewhere can deliver. @throws Error that says what does not hold */
export async function checkParcel({ target }: ContainerStack): Promise<void> {
  const parcel = { lineId: 'l1', kind: 'parcel', sku: 'mug-blue', quantity: 2, unitPriceMinor: 1_900 };
  const { orderNumber } = await sendOrder(target, `PARCEL-${process.pid}`, { lines: [parcel] });
  await completed(target, orderNumber, ['orders.fulfil', 'warehouse.ship']);
}

/** Tells the worker to stop while a call is under way, and all others after it: nothing may be cut off. @throws Error that says what was */
export async function checkDrain({ target, api, worker, sandbox }: ContainerStack): Promise<void> {
  await tellSandbox(target, '/__fault', { route: 'lms.enrol', mode: 'slow', delayMs: SLOW_MS });
  const { orderNumber } = await sendOrder(target, `DRAIN-${process.pid}`, { customer: OTHER_CUSTOMER });
  await eventually(async () => {
    const { faults } = (await askSandbox<{ faults: unknown[] }>(target, '/__fault')) ?? { faults: [] };
    assert.deepEqual(faults, [], 'the slow call was not made');
  }, WAIT);
  await ends(worker);
  const [, enrol] = await jobsOf(target, orderNumber);
  assert.deepEqual([enrol?.state, enrol?.attempt], ['completed', 1], 'a worker that was told to stop cut off its job');
  await ends(api);
  await ends(sandbox);
}

async function ends(container: ContainerStack['api']): Promise<void> {
  const { code, signal } = await container.stop();
  if (code !== 0) throw container.failure(`ended with ${signal ?? `code ${code}`} at SIGTERM, not with 0`);
}

/** Waits until exactly these jobs are done, and gives the trace that they are all in. */
async function completed(target: DemoTarget, orderNumber: string, tasks: readonly string[]): Promise<string> {
  return eventually(async () => {
    const jobs = await jobsOf(target, orderNumber);
    const told = jobs.map(({ task, state }) => `${task} ${state}`);
    assert.deepEqual(
      told,
      tasks.map((task) => `${task} completed`),
    );
    const traceIds = [...new Set(jobs.map(({ traceId }) => traceId))];
    assert.equal(traceIds.length, 1, 'the jobs of the order are not in one trace');
    return String(traceIds[0]);
  }, WAIT);
}
