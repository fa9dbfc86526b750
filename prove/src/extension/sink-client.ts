import { DownstreamClient } from '@coordinator/extension';
import type { ProveConfig } from './config.ts';

/** Calls to the sink: one client per destination, as for services of their own. */
export class SinkClient {
  readonly #config: ProveConfig;
  readonly #clients = new Map<string, DownstreamClient>();

  constructor(config: ProveConfig) {
    this.#config = config;
  }

  /** Has the effect. @throws DownstreamError */
  async deliver(destination: string, effect: object, idempotencyKey: string, signal: AbortSignal): Promise<void> {
    const json = { ...effect, pid: process.pid };
    await this.#to(destination).request({ method: 'POST', path: '/effects', json, idempotencyKey, signal });
  }

  /** Returns when the gate is open. @throws DownstreamError */
  async gate(gate: object, signal: AbortSignal): Promise<void> {
    const json = { ...gate, pid: process.pid };
    await this.#to('gates', 600_000).request({ method: 'POST', path: '/wait', json, signal, repeatable: true });
  }

  #to(destination: string, totalTimeoutMs: number = this.#config.PROVE_CALL_TIMEOUT_MS): DownstreamClient {
    const known = this.#clients.get(destination);
    if (known) return known;
    const { PROVE_SINK_URL: front, PROVE_SIDE_DOOR_URL: side = front } = this.#config;
    const baseUrl = `${destination.startsWith('side-') ? side : front}/${destination}`;
    // These two stand for services of all kinds, and are to use all slots; the others have a share, as by default.
    const share = destination === 'main' || destination === 'gates' ? { maxConnections: 100 } : {};
    const limits = { totalTimeoutMs, headersTimeoutMs: totalTimeoutMs, ...share };
    const client = new DownstreamClient({ name: `sink-${destination}`, baseUrl, ...limits });
    this.#clients.set(destination, client);
    return client;
  }
}
