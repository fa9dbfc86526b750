import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY } from '../../repository.ts';
import type { ImageEngine } from '../image-engine.ts';
import { npm } from '../npm.ts';

const EXAMPLE = join(REPOSITORY, 'examples', 'warehouse');
const DOCKERFILE = join(REPOSITORY, 'deploy', 'images', 'Dockerfile.extensions');

/** As in docs/guides/images.md. */
const NPMRC = 'install-strategy=nested\nlegacy-peer-deps=true\nignore-scripts=true\n';

/** An extension that is installed, ready to be put into images. */
export interface ExtensionLayer {
  /** Puts it on top of an image, under a reference of its own. */
  addTo(image: string, reference: string): Promise<string>;
}

/**
 * Packs the example as its author in another repository would, and installs it as docs/guides/images.md tells.
 *
 * @param folder an empty one
 */
export async function extensionLayer(engine: ImageEngine, folder: string): Promise<ExtensionLayer> {
  const [author, user] = [join(folder, 'author'), join(folder, 'user')];
  await Promise.all([author, user].map((path) => mkdir(path)));
  const { name, version, exports, dependencies } = JSON.parse(
    await readFile(join(EXAMPLE, 'package.json'), 'utf8'),
  ) as {
    name: string;
    version: string;
    exports: object;
    dependencies: Record<string, string>;
  };
  const frontDoor = '@coordinator/extension';
  const { [frontDoor]: range = '*', ...own } = dependencies;
  const manifest = { name, version, exports, dependencies: own, peerDependencies: { [frontDoor]: range } };
  await writeFile(join(author, 'package.json'), JSON.stringify(manifest));
  await cp(join(EXAMPLE, 'dist'), join(author, 'dist'), { recursive: true });
  const archive = (await npm(author, 'pack', '--silent', `--pack-destination=${user}`)).trim();

  await writeFile(join(user, '.npmrc'), NPMRC);
  await writeFile(join(user, 'package.json'), JSON.stringify({ name: 'extensions', version: '1.0.0', private: true }));
  await npm(user, 'install', '--omit=dev', '--prefer-offline', '--no-audit', '--no-fund', `./${archive}`);
  await writeFile(join(user, 'extensions.cdx.json'), await npm(user, 'sbom', '--sbom-format=cyclonedx'));
  return {
    addTo: async (image, reference) => {
      const buildArgs = { COORDINATOR: image, EXTENSIONS: name };
      await engine.build({ dockerfile: DOCKERFILE, context: user, tags: [reference], buildArgs });
      return reference;
    },
  };
}
