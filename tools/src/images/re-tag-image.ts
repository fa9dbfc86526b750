import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../repository.ts';
import type { AppImage } from './app-image.ts';
import { SBOM_FILE, writeAppTree } from './app-tree.ts';
import { type BuiltImage, TREES } from './build-image.ts';
import type { ImageEngine } from './image-engine.ts';
import { imageLabels, LABEL } from './image-labels.ts';
import { settleFileTree } from './settled-files.ts';

const DOCKERFILE = join(REPOSITORY, 'deploy', 'images', 'Dockerfile.release');

/** How to give an image another version with {@link reTagImage}. */
export interface ReTagOptions {
  readonly tags: readonly string[];
  /** Registry and path before the name. */
  readonly registry: string;
  /** Whose image it is, and the commit that this one was built from. */
  readonly previous: { readonly version: string; readonly commit: string };
}

/**
 * Gives the image of the release before the version of this checkout. All layers stay. The manifests of our packages and the
 * bill of materials, which name the version, come on top, so that `/version`, spans, logs and labels tell it, and the image
 * holds the same files as one that is built anew.
 *
 * @throws Error when the image before cannot be had or was built from something else, or with the complaint of the engine
 */
export async function reTagImage(
  engine: ImageEngine,
  image: AppImage,
  { tags, registry, previous }: ReTagOptions,
): Promise<Omit<BuiltImage, 'rebuild'>> {
  const before = `${registry}/${image.name}:${previous.version}`;
  const options = [`--only ${image.short}`, `--registry ${registry}`, ...tags.map((tag) => `--tag ${tag}`)];
  const instead = `To build ${image.name} anew instead: npm run images -- ${options.join(' ')}`;
  await refuseStrange(engine, before, previous.commit, instead);
  const directory = join(TREES, image.name);
  const context = `${directory}-release`;
  for (const folder of [directory, context]) rmSync(folder, { recursive: true, force: true });
  const tree = await writeAppTree({ workspace: REPOSITORY, app: image.app, directory });
  for (const file of [SBOM_FILE, ...tree.folders.map((folder) => join(folder, 'package.json'))]) {
    cpSync(join(directory, file), join(context, file));
  }
  settleFileTree(context);
  // The label of the base is inherited: it is still what the image is built on.
  const labels = await imageLabels(image, tree, { workspace: REPOSITORY, base: undefined });
  const references = tags.map((tag) => `${registry}/${image.name}:${tag}`);
  const buildArgs = { PREVIOUS: before };
  const id = await engine.build({ dockerfile: DOCKERFILE, context, tags: references, buildArgs, labels });
  return { image, id, references, labels, sbom: join(directory, SBOM_FILE) };
}

/** An image that somebody built of other sources under the same tag must not become a release. */
async function refuseStrange(engine: ImageEngine, reference: string, commit: string, instead: string): Promise<void> {
  let revision: string | undefined;
  try {
    revision = (await engine.labelsOf(reference))[`${LABEL}revision`];
  } catch (error) {
    // Before its last line an engine tells of each try to reach the registry.
    const why = (error as Error).message.split('\n').at(-1);
    throw new Error(`${reference}, which is to be re-tagged, cannot be had: ${why}\n${instead}`, { cause: error });
  }
  if (revision === commit) return;
  throw new Error(
    `${reference} was built from ${revision ?? 'an unknown revision'} and not from ${commit}.\n${instead}`,
  );
}
