/** Typed events, the subscriptions to them, and the events that commerce extensions share. */
export { orderLinePlaced, paymentRefunded, paymentSucceeded } from './commerce-events.ts';
export { defineEvent, type AnyEvent, type DataOf, type Event } from './event.ts';
export { createEventRouting } from './event-routing.ts';
export { decimalAmount, minorUnits } from './money.ts';
export { subscribe, type Subscription } from './subscription.ts';
