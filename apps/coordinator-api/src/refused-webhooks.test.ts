import { RecordingLog } from '@coordinator/task-testing';
import { startTracing } from '@coordinator/tracing';
import { expect, test } from '@jest/globals';
import { apiSuite, codeOf } from './fixtures/api-suite.ts';
import { MARKER, stripeSignature, webhookRequest } from './fixtures/raw-request.ts';

const { closing, start, ask } = apiSuite();

test('webhooks whose signature is refused are all counted, and logged once in a while without what a stranger has sent', async () => {
  const log = new RecordingLog();
  const tracing = startTracing({ service: 'test', release: '1.2.3' });
  closing.push(() => tracing.shutdown());
  const api = await start({ log });
  const forged = stripeSignature(`{"${MARKER}":1}`);
  const signatures = [forged, forged, undefined, MARKER, forged];
  for (const signature of signatures) {
    const { status } = await ask(api, webhookRequest({ headers: { 'stripe-signature': signature } }));
    expect(status).toBe(signature === MARKER ? 400 : 401);
  }

  const metrics = (await tracing.metricsText())
    .split('\n')
    .filter((line) => /^coordinator_webhooks_refused/.test(line));
  expect(metrics).toEqual([
    'coordinator_webhooks_refused_total{coordinator_extension="stripe",error_type="COORD_SIGNATURE_INVALID"} 4',
    'coordinator_webhooks_refused_total{coordinator_extension="stripe",error_type="COORD_SIGNATURE_MALFORMED"} 1',
  ]);
  expect(log.lines.map(({ level, message, fields }) => [level, message, fields.code, fields.caller])).toEqual([
    ['warn', 'webhook signature refused: stripe', 'COORD_SIGNATURE_INVALID', 'stripe'],
    ['warn', 'webhook signature refused: stripe', 'COORD_SIGNATURE_MALFORMED', 'stripe'],
  ]);
  expect(JSON.stringify(log.lines)).not.toContain(MARKER);
});

test('a webhook without signature is refused before its body has come', async () => {
  const unsigned = webhookRequest({ body: '{', headers: { 'content-length': '1000', 'stripe-signature': undefined } });
  expect(codeOf(await ask(await start(), unsigned))).toBe('COORD_SIGNATURE_INVALID');
});
