import { setTimeout as delay } from 'node:timers/promises';
import type { ProvingStack } from '../stack/proving-stack.ts';
import type { ScheduledFault } from './fault-schedule.ts';

/** Has the faults of a schedule happen to a stack, each at its time; resolves when the last one is over. */
export async function playFaults(stack: ProvingStack, schedule: readonly ScheduledFault[]): Promise<void> {
  const startedAt = performance.now();
  for (const fault of schedule) {
    const early = fault.atMs - (performance.now() - startedAt);
    if (early > 0) await delay(early);
    await play(stack, fault);
  }
}

async function play(stack: ProvingStack, { kind, victim, index, manner, forMs }: ScheduledFault): Promise<void> {
  switch (kind) {
    case 'kill':
      return stack.kill(victim, index, forMs);
    case 'freeze':
      stack.workers[index]?.freeze();
      await delay(forMs);
      return stack.workers[index]?.resume();
    case 'cut':
      if (!stack.proxy) throw new Error('Only the connections of a stack with a proxy can be cut');
      await stack.proxy.behave(manner);
      await delay(forMs);
      return stack.proxy.behave('pass');
    case 'script-flush':
      await stack.command('SCRIPT', 'FLUSH');
  }
}
