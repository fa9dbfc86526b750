import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../repository.ts';
import type { AppImage } from './app-image.ts';
import { SBOM_FILE, writeAppTree } from './app-tree.ts';
import type { ImageEngine } from './image-engine.ts';
import { imageLabels } from './image-labels.ts';

const DOCKERFILE = join(REPOSITORY, 'deploy', 'images', 'Dockerfile');

/** Where the trees of images are written, and stay, with their bills of materials. */
export const TREES = join(REPOSITORY, 'tmp', 'images');

/** How to build an image with {@link buildImage}. */
export interface BuildImageOptions {
  /** Empty: the release and `latest`. */
  readonly tags: readonly string[];
  /** Registry and path before the name. */
  readonly registry: string;
  /** Default: {@link defaultBase}. */
  readonly base?: string;
  /** Labels besides those that all images have. Default: none. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** An image that was built. */
export interface BuiltImage {
  readonly image: AppImage;
  readonly id: string;
  /** Its full references. */
  readonly references: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** File of its bill of materials. */
  readonly sbom: string;
  /** Builds it again under another reference, and gives the id. */
  rebuild(reference: string): Promise<string>;
}

/** Builds the image of an app from what is built in this checkout. @throws Error with the complaint of npm or the engine */
export async function buildImage(
  engine: ImageEngine,
  image: AppImage,
  { tags, registry, base = defaultBase(), labels: more }: BuildImageOptions,
): Promise<BuiltImage> {
  const directory = join(TREES, image.name);
  rmSync(directory, { recursive: true, force: true });
  const tree = await writeAppTree({ workspace: REPOSITORY, app: image.app, directory });
  const labels = { ...(await imageLabels(image, tree, { workspace: REPOSITORY, base })), ...more };
  const wanted = tags.length > 0 ? tags : [tree.release, 'latest'];
  const references = wanted.map((tag) => `${registry}/${image.name}:${tag}`);
  const buildArgs = { BASE: base, NODE_ENV: image.nodeEnv };
  const build = { dockerfile: DOCKERFILE, context: directory, buildArgs, labels };
  const id = await engine.build({ ...build, tags: references });
  return {
    ...{ image, id, references, labels, sbom: join(directory, SBOM_FILE) },
    rebuild: (reference) => engine.build({ ...build, tags: [reference] }),
  };
}

/** The image that the Dockerfile builds on unless it is told another one. */
export function defaultBase(): string {
  const [, base = ''] = /^ARG BASE=(\S+)$/m.exec(readFileSync(DOCKERFILE, 'utf8')) ?? [];
  return base;
}
