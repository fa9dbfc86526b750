import { silentLogger } from '@coordinator/logging';
import { eventually, freePort, startRedis, type RedisServer } from '@coordinator/task-testing';
import { RedisConnection } from '@coordinator/tasks';
import { setTimeout as delay } from 'node:timers/promises';
import { TcpProxy } from '../faults/tcp-proxy.ts';
import { Sentinel } from './sentinel.ts';

interface Member {
  readonly server: RedisServer;
  /** The way to it from the other server and from Sentinel. */
  readonly link: TcpProxy;
}

/** How far the replica is behind when its master dies. */
const BEHIND_MS = 300;
const LOOK_EVERY_MS = 100;
/** As docs/guides/run-it.md has it; the others make a broken link be seen within seconds instead of a minute. */
const ARGS = [
  ...['--min-replicas-to-write', '1', '--min-replicas-max-lag', '5'],
  ...['--repl-timeout', '4', '--repl-ping-replica-period', '1', '--repl-diskless-sync-delay', '0'],
];

/**
 * Two Redis servers, one the replica of the other; a Sentinel that promotes it; and two names that lead to the master, as a
 * proxy in front of them does that follows Sentinel. The second name is that of the side that a partition cuts off
 * together with the master.
 */
export class ReplicatedRedis {
  readonly name: TcpProxy;
  readonly nameCutOff: TcpProxy;
  readonly #members: readonly Member[];
  readonly #sentinel: Sentinel;
  readonly #follow: NodeJS.Timeout;
  #master: Member;
  #partitioned = false;

  private constructor(members: readonly [Member, Member], names: readonly [TcpProxy, TcpProxy], sentinel: Sentinel) {
    this.#members = members;
    [this.name, this.nameCutOff] = names;
    this.#sentinel = sentinel;
    this.#master = members[0];
    this.#follow = setInterval(() => void this.#look().catch(() => undefined), LOOK_EVERY_MS);
  }

  /** Starts all of it, and waits until the replica is up to date. */
  static async start(): Promise<ReplicatedRedis> {
    const first = await startMember();
    const second = await startMember('--replicaof', '127.0.0.1', String(first.link.port));
    const names = [new TcpProxy(first.server.port), new TcpProxy(first.server.port)] as const;
    for (const name of names) await name.start();
    const sentinel = await Sentinel.start(first.link.port);
    const redis = new ReplicatedRedis([first, second], names, sentinel);
    await redis.untilReplicated();
    await sentinel.knowsReplica();
    return redis;
  }

  /** The host of the master dies while its replica is a moment behind; resolves when the names lead to the new master. */
  async crash(): Promise<void> {
    const dead = this.#master;
    await dead.link.behave('stall');
    await delay(BEHIND_MS);
    await dead.server.kill('SIGKILL');
    await this.#untilPromoted(dead);
  }

  /** Cuts the master and those of {@link nameCutOff} off; resolves when {@link name} leads to the new master. */
  async partition(): Promise<void> {
    const old = this.#master;
    this.#partitioned = true;
    await old.link.behave('stall');
    await this.name.behave('stall');
    await this.#untilPromoted(old);
    await this.name.behave('pass');
  }

  /** Ends a crash or a partition: the old master is back, and is made a replica by Sentinel. */
  async mend(): Promise<void> {
    const old = this.#members.find((member) => member !== this.#master) as Member;
    await old.link.behave('pass');
    if (!this.#partitioned) await old.server.restart();
    this.#partitioned = false;
    this.nameCutOff.lead(this.#master.server.port);
    await this.untilReplicated();
  }

  /** Waits until the replica has all that the master has. */
  async untilReplicated(): Promise<void> {
    await eventually(
      async () => {
        const info = await ask(this.#master.server, 'INFO', 'replication');
        if (!/role:master[^]*slave0:.*state=online/.test(info)) throw new Error('the master has no replica');
      },
      { deadlineMs: 60_000, everyMs: 100 },
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.#follow);
    await this.#sentinel.stop();
    for (const proxy of [this.name, this.nameCutOff, ...this.#members.map(({ link }) => link)]) await proxy.stop();
    for (const { server } of this.#members) await server.stop();
  }

  async #look(): Promise<void> {
    const port = await this.#sentinel.masterPort();
    const master = this.#members.find(({ link }) => link.port === port);
    if (!master || master === this.#master) return;
    this.#master = master;
    this.name.lead(master.server.port);
    if (!this.#partitioned) this.nameCutOff.lead(master.server.port);
  }

  async #untilPromoted(old: Member): Promise<void> {
    await eventually(
      () => {
        if (this.#master === old) throw new Error('Sentinel has promoted no replica');
      },
      { deadlineMs: 60_000 },
    );
  }
}

async function startMember(...args: string[]): Promise<Member> {
  const port = await freePort();
  const link = new TcpProxy(port);
  await link.start();
  const announced = ['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', String(link.port)];
  const server = await startRedis({ port, appendfsync: 'always', args: [...ARGS, ...announced, ...args] });
  return { server, link };
}

async function ask(server: RedisServer, ...command: string[]): Promise<string> {
  const connection = new RedisConnection({ url: server.url, log: silentLogger, commandDeadlineMs: 2_000 });
  try {
    await connection.connect();
    return (await connection.command(...command)) as string;
  } finally {
    connection.close();
  }
}
