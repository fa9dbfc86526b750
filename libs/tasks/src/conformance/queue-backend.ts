import { describe } from '@jest/globals';
import { describeAcceptanceAndEnd } from './acceptance-and-end.ts';
import type { BackendUnderTest } from './bench.ts';
import { describeLanesAndCancelling } from './lanes-and-cancelling.ts';
import { describeReplay } from './replay.ts';
import { describeWaitingAndReturn } from './waiting-and-return.ts';

/** What every QueueBackend must do; run by the tests of each. */
export function describeQueueBackend(name: string, make: () => Promise<BackendUnderTest>): void {
  describe(name, () => {
    describeAcceptanceAndEnd(make);
    describeWaitingAndReturn(make);
    describeLanesAndCancelling(make);
    describeReplay(make);
  });
}
