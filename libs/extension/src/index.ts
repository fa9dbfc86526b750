/**
 * The front door for authors of extensions: everything an extension needs comes from here.
 * docs/guides/write-an-extension.md walks through it.
 */
export * from '@coordinator/config';
export * from '@coordinator/downstream';
export * from '@coordinator/events';
export {
  noPii,
  personalDataOf,
  pii,
  type Logger,
  type PersonalData,
  type PersonalField,
  type PiiMark,
  type PiiRetirement,
  type PiiType,
} from '@coordinator/logging';
export {
  cancel,
  CoordinatorError,
  defineSchedule,
  defineTask,
  exponential,
  permanent,
  retryLater,
  TaskError,
  upcast,
  type CatchUp,
  type EnqueueOptions,
  type Handlers,
  type PayloadOf,
  type Receipt,
  type Schedule,
  type ScheduleDeclaration,
  type Slot,
  type Task,
  type TaskContext,
  type TaskHandler,
  type Upcaster,
} from '@coordinator/tasks';
export { acceptRequest, screenRequest, SignatureRefusal, type ReceivedRequest } from './accept-request.ts';
export { defineExtension, type Extension, type ExtensionDeclaration } from './extension.ts';
export {
  defineFake,
  type Effect,
  type Fake,
  type FakeAnswer,
  type FakeRequest,
  type FakeRoute,
  type FakeWebhook,
  type Ledger,
} from './fake.ts';
export { readJsonBody } from './json-body.ts';
export { loadExtensions } from './load-extensions.ts';
export { Registry, RegistryError } from './registry.ts';
export {
  apiRoute,
  bearerToken,
  signature,
  webhook,
  type ApiRouteDeclaration,
  type BearerAuthentication,
  type Route,
  type RouteContext,
  type SignatureAuthentication,
  type WebhookDeclaration,
} from './route.ts';
