import { freePort, startRedis } from '@coordinator/task-testing';
import type { DemoTarget } from '../../demo-traffic.ts';
import { parseSettings } from '../../sandbox-settings.ts';
import { DEVELOPMENT_TOKENS, tracesTo } from '../../stack-environment.ts';
import type { ImageEngine } from '../image-engine.ts';
import { Container, runOnce } from './container.ts';
import type { Leftovers } from './leftovers.ts';

/** References of the images of a whole coordinator. */
export interface CoordinatorImages {
  readonly api: string;
  readonly worker: string;
  readonly sandbox: string;
}

/** A whole coordinator in containers. */
export interface ContainerStack {
  readonly api: Container;
  readonly worker: Container;
  readonly sandbox: Container;
  readonly target: DemoTarget;
  /** Where processes of ours answer `/version`. */
  readonly versionUrls: readonly string[];
}

const LOCAL = 'http://127.0.0.1';
const [, TOKEN = ''] = DEVELOPMENT_TOKENS.API_TOKENS.split('=');

/** Starts images as containers, with a Redis beside them, and waits until all are ready. @throws Error that names the one that is not */
export async function startContainers(
  engine: ImageEngine,
  images: CoordinatorImages,
  leftovers: Leftovers,
): Promise<ContainerStack> {
  const redis = await startRedis({ detached: true });
  leftovers.add(() => redis.stop());
  const [api, admin, worker, sandbox] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const sandboxEnv = { SANDBOX_PORT: String(sandbox), API_PORT: String(api) };
  const env = {
    ...parseSettings(await runOnce(engine, images.sandbox, sandboxEnv, '--print-env')),
    ...tracesTo(`${LOCAL}:${sandbox}/__otlp`),
    ...DEVELOPMENT_TOKENS,
    REDIS_URL: redis.url,
  };
  const start = (image: keyof CoordinatorImages, port: number, own: NodeJS.ProcessEnv) => {
    const name = `coordinator-check-${process.pid}-${image}`;
    const readyUrl = `${LOCAL}:${port}/readyz`;
    const container = new Container(engine, { name, image: images[image], env: own, readyUrl });
    leftovers.add(async (remover) => {
      if (container.running) await remover.call('rm', '--force', name);
      await container.exited;
    });
    container.start();
    return container;
  };
  const stack = {
    sandbox: start('sandbox', sandbox, sandboxEnv),
    api: start('api', api, { ...env, API_PORT: String(api), ADMIN_PORT: String(admin) }),
    worker: start('worker', worker, { ...env, WORKER_PORT: String(worker) }),
  };
  await Promise.all(Object.values(stack).map((container) => container.ready()));
  return {
    ...stack,
    target: { api: `${LOCAL}:${api}`, sandbox: `${LOCAL}:${sandbox}`, token: TOKEN },
    versionUrls: [api, admin, worker].map((port) => `${LOCAL}:${port}/version`),
  };
}
