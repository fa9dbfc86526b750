import { join, relative, resolve } from 'node:path';
import { exitCodeOf } from './exit-code.ts';
import type { AppImage } from './images/app-image.ts';
import { writeAppTree } from './images/app-tree.ts';
import { buildImage } from './images/build-image.ts';
import { findEngine, type ImageEngine } from './images/image-engine.ts';
import { IMAGES_USAGE, type ImagesOptions, imagesOptions } from './images/images-options.ts';
import { reTagImage } from './images/re-tag-image.ts';
import { type CheckedOutRelease, checkedOutRelease } from './release/checked-out-release.ts';
import { Git } from './release/git.ts';
import { REPOSITORY } from './repository.ts';

async function main(args: readonly string[]): Promise<void> {
  const options = imagesOptions(args);
  if (options === undefined) return say(IMAGES_USAGE);
  if (options.trees !== undefined) {
    for (const { app } of options.images) {
      const { main: script } = await writeAppTree({
        workspace: REPOSITORY,
        app,
        directory: join(resolve(options.trees), app),
      });
      say(script);
    }
    return;
  }
  const engine = await findEngine(options.engine);
  const release = options.release ? checkedOutRelease(new Git(REPOSITORY)) : undefined;
  const made: string[] = [];
  for (const image of options.images) {
    const { id, references, sbom } = await make(engine, image, options, release);
    say(`${image.name}: ${id.slice(0, 12)}  ${references.join('  ')}\n  packages in ${relative(process.cwd(), sbom)}`);
    made.push(...references);
  }
  for (const reference of options.push ? made : []) {
    await engine.call('push', reference);
    say(`${reference}: pushed`);
  }
}

async function make(engine: ImageEngine, image: AppImage, options: ImagesOptions, release?: CheckedOutRelease) {
  const tags = release?.imageTags ?? options.tags;
  const previous = release?.previous;
  if (previous && release.images.some(({ app, action }) => app === image.app && action === 're-tag')) {
    say(`${image.name}: re-tagging with ${engine.name}, as nothing of it has changed since ${previous.version} …`);
    return reTagImage(engine, image, { tags, registry: options.registry, previous });
  }
  say(`${image.name}: building with ${engine.name} …`);
  return buildImage(engine, image, { ...options, tags });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
