import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * How a proxy treats its connections:
 * - `pass`: as if it were not there
 * - `refuse`: accepts none and cuts those it has
 * - `reset`: cuts those it has, and every new one, with RST
 * - `stall`: those it has, and those that come meanwhile, stay open for ever and let nothing through, not even once it
 *   passes again: what is left of a connection when the host at its other end has vanished
 * - `drop-replies`: the same, but commands arrive and are done; only their answers are lost
 */
export type ProxyManner = 'pass' | 'refuse' | 'reset' | 'stall' | 'drop-replies';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Of what it is sent, nothing arrives. */
  stalled: boolean;
  /** Of what it is answered, nothing arrives. */
  mute: boolean;
}

/** Stands between our processes and Redis. */
export class TcpProxy {
  #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #server: Server | undefined;
  #manner: ProxyManner = 'pass';
  #port = 0;

  constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  /** Where it listens; the same after `refuse`. */
  get port(): number {
    return this.#port;
  }

  /** The Redis behind it. */
  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** Begins to listen. */
  async start(): Promise<void> {
    await this.#listen();
  }

  /** Changes its manner. */
  async behave(manner: ProxyManner): Promise<void> {
    const before = this.#manner;
    this.#manner = manner;
    for (const pair of this.#pairs) mark(pair, manner);
    if (manner === 'refuse' || manner === 'reset') this.#cut(manner === 'reset');
    if (manner === 'refuse') await this.#stopListening();
    else if (before === 'refuse') await this.#listen();
  }

  /** Leads to another port of 127.0.0.1 from now on, and cuts the connections it has. */
  lead(targetPort: number): void {
    this.#targetPort = targetPort;
    this.#cut(false);
  }

  /** Ends it and all its connections. */
  async stop(): Promise<void> {
    this.#cut(false);
    await this.#stopListening();
  }

  async #listen(): Promise<void> {
    const server = createServer((near) => this.#accept(near));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => resolve());
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #accept(near: Socket): void {
    near.on('error', () => undefined);
    if (this.#manner === 'reset') return void near.resetAndDestroy();
    const far = connect(this.#targetPort, '127.0.0.1');
    const pair: Pair = { near, far, stalled: false, mute: false };
    mark(pair, this.#manner);
    this.#pairs.add(pair);
    near.on('data', (piece) => {
      if (!pair.stalled && far.writable) far.write(piece);
    });
    far.on('data', (piece) => {
      if (!pair.mute && near.writable) near.write(piece);
    });
    far.on('error', () => undefined);
    near.on('close', () => {
      // Nobody at the far end hears of an end either: Redis keeps such connections until it misses something.
      if (!pair.stalled) far.destroy();
      if (far.destroyed) this.#pairs.delete(pair);
    });
    far.on('close', () => {
      if (!pair.mute) near.destroy();
      if (near.destroyed) this.#pairs.delete(pair);
    });
  }

  #cut(hard: boolean): void {
    for (const { near, far } of this.#pairs) {
      if (hard) near.resetAndDestroy();
      else near.destroy();
      far.destroy();
    }
    this.#pairs.clear();
  }
}

/** What a connection has lost it does not get back: a later answer would be taken for that to an earlier command. */
function mark(pair: Pair, manner: ProxyManner): void {
  if (manner === 'stall') pair.stalled = true;
  if (manner === 'stall' || manner === 'drop-replies') pair.mute = true;
}
