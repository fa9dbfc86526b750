import { defineExtension, orderLinePlaced, subscribe } from '@coordinator/extension';
import { openEdxLmsConfig } from './config.ts';
import { enrolmentOf } from './course-lines.ts';
import * as tasks from './tasks.ts';

/** Delivers courses: it enrols the buyer in an Open edX LMS. */
export const openEdxLms = defineExtension({
  name: 'open-edx-lms',
  config: openEdxLmsConfig,
  tasks,
  handlers: async (config) => (await import('./handlers/index.ts')).createHandlers(config),
  subscriptions: [subscribe(orderLinePlaced, tasks.enrol, enrolmentOf)],
  fake: async () => (await import('./fake.ts')).openEdxLmsFake,
});
