import { describeQueueBackend } from '../conformance/queue-backend.ts';
import { MemoryBackend } from './memory-backend.ts';
import { MemoryClock } from './memory-clock.ts';

describeQueueBackend('MemoryBackend', async () => {
  const clock = new MemoryClock();
  const backend = new MemoryBackend(clock);
  return {
    backend,
    pop: async (queue) => backend.pop(queue),
    advance: async (byMs) => clock.advance(byMs),
    payloadOf: async (jobId) => {
      const payload = backend.payloadOf(jobId);
      return payload == null ? undefined : JSON.stringify(payload);
    },
  };
});
