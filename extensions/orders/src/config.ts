import { z } from 'zod';

/** Orders are taken from any caller with a token: there is nothing to set. */
export const ordersConfig = z.object({});
