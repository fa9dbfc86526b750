import type { Extension } from '@coordinator/extension';
import { openEdxLms } from '@coordinator/extension-open-edx-lms';
import { orders } from '@coordinator/extension-orders';
import { paypal } from '@coordinator/extension-paypal';
import { segment } from '@coordinator/extension-segment';
import { stripe } from '@coordinator/extension-stripe';

/**
 * The extensions of this coordinator. API, worker and sandbox read this list, and packages that
 * COORDINATOR_EXTENSIONS names come on top.
 */
export const installed: readonly Extension[] = [orders, openEdxLms, stripe, paypal, segment];
