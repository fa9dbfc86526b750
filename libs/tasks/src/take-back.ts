import type { Logger } from '@coordinator/logging';
import { ATTR, countTakenBack, extractTraceContext, injectTraceContext, linkTo } from '@coordinator/tracing';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { taskNamedIn, traceNamedIn } from './envelope.ts';
import type { QueueBackend, RecoveryPolicy } from './queue-backend.ts';

/**
 * Takes back the jobs of workers that fell silent. An attempt that was killed never exports its span; one span here stands
 * for all that were found together: it links to the traces of their jobs, and the next attempt of each links to it.
 *
 * @throws what the backend throws
 */
export async function takeBack(
  queue: string,
  policy: Omit<RecoveryPolicy, 'attemptReport'>,
  { backend, log }: { readonly backend: QueueBackend; readonly log: Logger },
): Promise<void> {
  const span = trace.getTracer('coordinator').startSpan(`recover ${queue}`, {}, ROOT_CONTEXT);
  const attemptReport = injectTraceContext(trace.setSpan(ROOT_CONTEXT, span)).traceparent;
  const recovered = await backend.recover(queue, { ...policy, attemptReport });
  // Looked in vain, as nearly always: what is not ended is not exported.
  if (recovered.length === 0) return;

  span.setAttributes({
    [ATTR.messagingSystem]: 'bee-queue',
    [ATTR.messagingDestinationName]: queue,
    [ATTR.messagingOperationName]: 'recover',
    [ATTR.messagingBatchMessageCount]: recovered.length,
  });
  for (const { jobId, state, envelope } of recovered) {
    const carrier = traceNamedIn(envelope);
    const link = linkTo(carrier);
    if (link) span.addLink(link);
    const task = taskNamedIn(envelope) ?? 'unknown';
    countTakenBack({ task, queue });
    // In the trace of the job, where whoever follows it looks.
    context.with(extractTraceContext(carrier), () => {
      log.warn({ jobId, task, queue, state, code: 'COORD_LEASE_LOST' }, 'took back a job whose worker fell silent');
    });
  }
  span.end();
}
