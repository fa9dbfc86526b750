import { parseArgs } from 'node:util';
import { APP_IMAGES, type AppImage, imagesNamed } from './app-image.ts';
import { ENGINES, type EngineName } from './image-engine.ts';

/** How `npm run images` is told what to do. */
export const IMAGES_USAGE = `Usage: npm run images -- [options]

Builds the images of API, worker and sandbox with docker, podman or buildah, whichever works.
  --release         make those of the release that is checked out: one that has not changed since the release before is
                    re-tagged, not built, and keeps its base
  --push            push them to the registry once all of them are made
  --only NAMES      some of api,worker,sandbox. Default: all
  --tag TAG         may be given more than once. Default: the release and latest
  --registry PLACE  registry and path before the names. Default: localhost
  --base IMAGE      image with Node 24 to build on, best with its digest. Default: that of deploy/images/Dockerfile
  --engine NAME     docker, podman or buildah
  --trees FOLDER    only write what goes into the images, one folder below it for each app; needs none of the three`;

/** What `npm run images` is to do. */
export interface ImagesOptions {
  readonly images: readonly AppImage[];
  /** Whether they are those of the release that is checked out. */
  readonly release: boolean;
  /** Whether they are pushed. */
  readonly push: boolean;
  /** Empty: the release and `latest`. */
  readonly tags: readonly string[];
  readonly registry: string;
  readonly base: string | undefined;
  readonly engine: EngineName | undefined;
  /** Where trees go when no images are wanted. */
  readonly trees: string | undefined;
}

/** Reads the command line; undefined when help is asked for. @throws Error that says what to write instead */
export function imagesOptions(args: readonly string[]): ImagesOptions | undefined {
  const values = parse(args);
  if (values.help) return undefined;
  const { only, tag = [], registry = 'localhost', base, engine, trees, release = false, push = false } = values;
  if (release && tag.length > 0) throw new Error('--release names the tags itself: leave out --tag.');
  if (trees !== undefined && (release || push))
    throw new Error('--trees makes no images: leave out --release and --push.');
  return {
    images: only === undefined ? APP_IMAGES : imagesNamed(only.split(',')),
    ...{ release, push, tags: tag, registry, base, trees, engine: engineNamed(engine) },
  };
}

/** Checks the name of an engine. @throws Error that names those there are */
export function engineNamed(name: string | undefined): EngineName | undefined {
  const known = ENGINES.find((engine) => engine === name);
  if (name !== undefined && known === undefined) throw new Error(`--engine ${name}: use ${ENGINES.join(', ')}.`);
  return known;
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const tag = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean' } as const;
  const help = { type: 'boolean', short: 'h' } as const;
  const places = { registry: text, base: text, engine: text, trees: text };
  const options = { only: text, tag, release: flag, push: flag, ...places, help };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${IMAGES_USAGE}`);
  }
}
