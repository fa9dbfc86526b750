import { defineSchedule } from '@coordinator/extension';
import { closeDay } from './tasks.ts';

/** The carrier comes to the warehouse in the evening of each working day, and takes what is on the list of the day. */
export const endOfDay = defineSchedule({
  name: 'warehouse.end-of-day',
  cron: '0 18 * * MON-FRI',
  timeZone: 'Europe/Berlin',
  task: closeDay,
  payload: ({ slotAt }) => ({ day: slotAt.toISOString().slice(0, 10) }),
  // Parcels of a day without a list stay where they are.
  catchUp: 'all',
});
