import { eventually } from '@coordinator/task-testing';
import { orderExample } from '@coordinator/tools';
import type { ReleaseStack } from './release-stack.ts';
import type { AppTrees } from './scratch-clone.ts';

/** Two releases and where they lie. */
export interface TwoReleases {
  readonly older: { readonly version: string; readonly trees: AppTrees };
  readonly newer: { readonly version: string; readonly trees: AppTrees };
}

/** How things stood when a stage of the roll-out had served its orders. */
export interface Stage {
  readonly title: string;
  /** What `/version` of APIs and workers told. */
  readonly releases: readonly string[];
  /** Orders accepted so far. */
  readonly accepted: number;
  /** Enrolments so far. */
  readonly effects: number;
  /** Jobs that wait for a worker which can read them. */
  readonly parked: number;
}

/** How orders are driven meanwhile. */
export interface RollOutOptions {
  readonly ratePerSecond: number;
  /** Orders that each stage serves before the next one begins. */
  readonly ordersPerStage: number;
  readonly say: (line: string) => void;
  /** Hears of each stage that has served its orders. */
  readonly onStage: (stage: Stage) => void;
}

const STAGE_PATIENCE_MS = 120_000;

/** Rolls the newer release out, back, and out again, under load. @throws Error when one does not come to its end */
export async function rollOut(
  stack: ReleaseStack,
  { older, newer }: TwoReleases,
  { ratePerSecond, ordersPerStage, say, onStage }: RollOutOptions,
): Promise<void> {
  const load = { over: false };
  const driving = driveWhile(stack, ratePerSecond, () => !load.over);
  driving.catch(() => undefined);

  const stage = async (title: string, ...expected: string[]) => {
    const until = stack.ledger.acked + ordersPerStage;
    await eventually(
      () => {
        if (stack.ledger.acked < until) throw new Error(`${title}: ${until - stack.ledger.acked} orders to go`);
      },
      { deadlineMs: STAGE_PATIENCE_MS, everyMs: 100 },
    );
    const releases = await stack.releases();
    if (releases.join() !== expected.join()) throw new Error(`${title}: /version tells ${releases.join(', ')}`);
    const effects = (await stack.effects('lms.enrol')).length;
    const parked = (await stack.audit()).queues.reduce((sum, books) => sum + books.parked, 0);
    onStage({ title, releases, accepted: stack.ledger.acked, effects, parked });
    say(`  ${title}: ${stack.ledger.acked} orders accepted, ${effects} enrolments, ${parked} jobs parked`);
  };

  const [from, to] = [older.version, newer.version];
  try {
    await stage(`${from} alone`, from, from, from, from);
    await stack.replace('coordinator-api', newer.trees);
    await stage(`APIs ${to}, workers ${from}`, to, to, from, from);
    await stack.replace('coordinator-worker', newer.trees, 0);
    await stage(`APIs ${to}, workers of both`, to, to, to, from);
    await stack.replace('coordinator-worker', newer.trees, 1);
    await stage(`${to} alone`, to, to, to, to);
    await stack.replace('coordinator-worker', older.trees, 0);
    await stage(`rolling back, workers of both`, to, to, from, to);
    await stack.replace('coordinator-worker', older.trees, 1);
    await stack.replace('coordinator-api', older.trees);
    await stage(`back to ${from}`, from, from, from, from);
    await stack.replace('coordinator-worker', newer.trees);
    await stage(`APIs ${from}, workers ${to}`, from, from, to, to);
    await stack.replace('coordinator-api', newer.trees);
    await stage(`${to} again`, to, to, to, to);
  } finally {
    load.over = true;
  }
  await driving;
}

/** Each by a buyer of its own: who is enrolled already is not enrolled again. */
function orderOf(number: string) {
  const order = orderExample(number);
  return { ...order, customer: { ...order.customer, username: number } };
}

async function driveWhile(stack: ReleaseStack, ratePerSecond: number, wanted: () => boolean): Promise<void> {
  for (let second = 0; wanted(); second += 1) {
    const orders = Array.from({ length: ratePerSecond }, (_, i) => orderOf(`r-${second}-${i}`));
    const sendings = orders.map((body) => ({ key: body.orderNumber, path: '/v1/orders', body }));
    await stack.driver.drive(sendings, { ratePerSecond });
  }
}
