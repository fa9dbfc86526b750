import { secret, serviceUrl } from '@coordinator/extension';
import { z } from 'zod';

/** What the extension reads from the environment. */
export const segmentConfig = z.object({
  /**
   * Workspaces in the EU have `https://events.eu1.segmentapis.com`; the default accepts their events and drops them.
   * Source: https://www.twilio.com/docs/segment/connections/sources/catalog/libraries/server/http-api
   */
  SEGMENT_URL: serviceUrl().default('https://api.segment.io'),
  /** Write key of the source that the events belong to. */
  SEGMENT_WRITE_KEY: secret(),
});
