import { execFile, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Programs that build images, in the order in which they are tried. */
export const ENGINES = ['docker', 'podman', 'buildah'] as const;
export type EngineName = (typeof ENGINES)[number];

/** What {@link ImageEngine.build} builds. */
export interface ImageBuild {
  readonly dockerfile: string;
  /** Folder that the Dockerfile copies from. */
  readonly context: string;
  /** Full references, `localhost/coordinator-api:1.2.3`. */
  readonly tags: readonly string[];
  readonly buildArgs?: Readonly<Record<string, string | undefined>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** No program that builds images works here. */
export class NoEngineError extends Error {
  override name = 'NoEngineError';
  /** EX_UNAVAILABLE of sysexits.h. */
  readonly exitCode = 69;
}

/** A program that builds images, and runs them unless it is buildah. */
export class ImageEngine {
  readonly #running = new Set<Promise<string>>();
  #closed = false;

  constructor(readonly name: EngineName) {}

  /** Whether it can run containers. */
  get runs(): boolean {
    return this.name !== 'buildah';
  }

  /**
   * Runs a command of it and gives what that printed. Ctrl-C does not reach it: an engine that is interrupted while it builds
   * leaves containers and images behind. Await {@link close} before this process ends.
   *
   * @throws Error with its complaint, or when it is closed
   */
  async call(...args: readonly string[]): Promise<string> {
    if (this.#closed) throw new Error(`${this.name} ${args[0]} comes too late: the engine is closed.`);
    const running = this.#run(args);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Takes no further command, and waits for those that run. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#running);
  }

  #run(args: readonly string[]): Promise<string> {
    const env = { ...process.env, DOCKER_BUILDKIT: '1' };
    return new Promise((settle, refuse) => {
      const fail = (why: string) => refuse(new Error(`${this.name} ${args[0]} failed:\n${why}`));
      const child = spawn(this.name, args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
      const printed = Promise.all([text(child.stdout), text(child.stderr)]);
      child.once('error', ({ message }) => fail(message));
      child.once('close', (code, signal) => {
        void printed.then(([stdout, stderr]) => {
          if (code === 0) settle(stdout.trim());
          else fail(stderr.trim() || `It ended with ${signal ?? `code ${code}`}.`);
        });
      });
    });
  }

  /**
   * Builds an image and gives its id. podman and buildah give the same content the same id: no time is put into it, and no
   * id of a layer that another build has left. Docker does so where its builder knows SOURCE_DATE_EPOCH.
   */
  async build({ dockerfile, context, tags, buildArgs = {}, labels = {} }: ImageBuild): Promise<string> {
    const reproducible =
      this.name === 'docker'
        ? ['--build-arg', 'SOURCE_DATE_EPOCH=0']
        : ['--format', 'oci', '--timestamp', '0', '--identity-label=false', '--layers', '--no-cache'];
    await this.call(
      'build',
      ...reproducible,
      ...['--file', dockerfile],
      ...tags.flatMap((tag) => ['--tag', tag]),
      ...pairs('--build-arg', buildArgs),
      ...pairs('--label', labels),
      context,
    );
    return this.idOf(tags[0] ?? '');
  }

  /** Labels of an image, which is pulled where it is not here. @throws Error with the complaint of the pull */
  async labelsOf(reference: string): Promise<Readonly<Record<string, string>>> {
    const inspect =
      this.name === 'buildah'
        ? ['inspect', '--type', 'image', '--format', '{{json .OCIv1.Config.Labels}}', reference]
        : ['image', 'inspect', '--format', '{{json .Config.Labels}}', reference];
    const printed = await this.call(...inspect).catch(async () => {
      await this.call('pull', reference);
      return this.call(...inspect);
    });
    return (JSON.parse(printed) ?? {}) as Record<string, string>;
  }

  /** Id of an image that is here, without `sha256:`. */
  async idOf(reference: string): Promise<string> {
    const [id = ''] = (
      this.name === 'buildah'
        ? await this.call('images', '--quiet', '--no-trunc', reference)
        : await this.call('image', 'inspect', '--format', '{{.Id}}', reference)
    ).split('\n');
    return id.replace('sha256:', '');
  }
}

/**
 * The first engine that works: a docker command without its engine does not.
 *
 * @param wanted only this one. Default: any of {@link ENGINES}
 * @throws NoEngineError that tells what was tried and what to install
 */
export async function findEngine(wanted?: EngineName): Promise<ImageEngine> {
  const tried: string[] = [];
  for (const name of wanted ? [wanted] : ENGINES) {
    try {
      // Of docker only the engine answers this; its command alone cannot build.
      const args = name === 'docker' ? ['version', '--format', '{{.Server.Version}}'] : ['info'];
      await execute(name, args, { env: process.env, timeout: 30_000 });
      return new ImageEngine(name);
    } catch (error) {
      const { code, stderr = '' } = error as { code?: unknown; stderr?: string };
      const reason = code === 'ENOENT' ? 'not installed' : stderr.trim().split('\n').at(-1) || 'does not answer';
      tried.push(`  - ${name}: ${reason}`);
    }
  }
  throw new NoEngineError(
    `Nothing here can build images. Tried:\n${tried.join('\n')}\nInstall one, for example: apt-get install podman runc`,
  );
}

function pairs(flag: string, values: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [flag, `${name}=${value}`]));
}
