import { join, relative, resolve } from 'node:path';
import { exitCodeOf } from './exit-code.ts';
import { writeAppTree } from './images/app-tree.ts';
import { buildImage } from './images/build-image.ts';
import { findEngine } from './images/image-engine.ts';
import { IMAGES_USAGE, imagesOptions } from './images/images-options.ts';
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
  for (const image of options.images) {
    say(`${image.name}: building with ${engine.name} …`);
    const { id, references, sbom } = await buildImage(engine, image, options);
    say(`${image.name}: ${id.slice(0, 12)}  ${references.join('  ')}\n  packages in ${relative(process.cwd(), sbom)}`);
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
