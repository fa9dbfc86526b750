import { eventually } from '@coordinator/task-testing';
import type { WaitingGate } from '../sink/gates.ts';
import type { ProvingStack } from '../stack/proving-stack.ts';

/** Waits until the attempts that wait at gates are as wanted, and gives them. @throws Error with their number when they never are */
export function gatesWhen(
  stack: ProvingStack,
  wanted: (gates: readonly WaitingGate[]) => boolean,
  deadlineMs = 30_000,
): Promise<WaitingGate[]> {
  return eventually(
    async () => {
      const gates = await stack.sink.gates();
      if (!wanted(gates)) throw new Error(`${gates.length} attempts wait at their gates, which are not those awaited`);
      return gates;
    },
    { deadlineMs },
  );
}
