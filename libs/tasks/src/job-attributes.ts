import { ATTR } from '@coordinator/tracing';
import type { Attributes } from '@opentelemetry/api';

/** The attributes of a PRODUCER (`send`) or CONSUMER (`process`) span, after OpenTelemetry's messaging conventions. */
export function jobAttributes(operation: 'send' | 'process', queue: string, task: string, jobId: string): Attributes {
  return {
    [ATTR.messagingSystem]: 'bee-queue',
    [ATTR.messagingDestinationName]: queue,
    [ATTR.messagingOperationName]: operation,
    [ATTR.messagingOperationType]: operation,
    [ATTR.messagingMessageId]: jobId,
    [ATTR.task]: task,
  };
}
