import type { Fake } from '@coordinator/extension';
import { startFakeServer, type FakeServer } from './fake-server.ts';

/** Starts a real HTTP server that plays one service; give its `environment()` to the harness, and close() it. */
export function fakeDownstream(fake: Fake): Promise<FakeServer> {
  return startFakeServer({ fakes: { downstream: fake } });
}
