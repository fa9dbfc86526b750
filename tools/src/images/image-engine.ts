import { execFile } from 'node:child_process';
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
  /** Whether layers of earlier builds are taken. Default: true. */
  readonly cache?: boolean;
}

const MOST_OUTPUT = 64 * 1024 * 1024;

/** No program that builds images works here. */
export class NoEngineError extends Error {
  override name = 'NoEngineError';
  /** EX_UNAVAILABLE of sysexits.h. */
  readonly exitCode = 69;
}

/** A program that builds images, and runs them unless it is buildah. */
export class ImageEngine {
  constructor(readonly name: EngineName) {}

  /** Whether it can run containers. */
  get runs(): boolean {
    return this.name !== 'buildah';
  }

  /** Runs a command of it and gives what that printed. @throws Error with its complaint */
  async call(...args: readonly string[]): Promise<string> {
    try {
      const env = { ...process.env, DOCKER_BUILDKIT: '1' };
      const { stdout } = await execute(this.name, [...args], { env, maxBuffer: MOST_OUTPUT });
      return stdout.trim();
    } catch (error) {
      const { stderr = '', message } = error as Error & { stderr?: string };
      throw new Error(`${this.name} ${args[0]} failed:\n${stderr.trim() || message}`, { cause: error });
    }
  }

  /**
   * Builds an image and gives its id. podman and buildah give the same content the same id: they put no time into it. Docker
   * does so where its builder knows SOURCE_DATE_EPOCH.
   */
  async build({ dockerfile, context, tags, buildArgs = {}, labels = {}, cache = true }: ImageBuild): Promise<string> {
    const reproducible =
      this.name === 'docker'
        ? ['--build-arg', 'SOURCE_DATE_EPOCH=0']
        : ['--format', 'oci', '--timestamp', '0', '--identity-label=false', '--layers'];
    await this.call(
      'build',
      ...reproducible,
      ...(cache ? [] : ['--no-cache']),
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
      await execute(name, name === 'docker' ? ['version', '--format', '{{.Server.Version}}'] : ['info'], {
        timeout: 30_000,
      });
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
