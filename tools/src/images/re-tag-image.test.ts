import { expect, test } from '@jest/globals';
import { imagesNamed } from './app-image.ts';
import { ImageEngine } from './image-engine.ts';
import { reTagImage } from './re-tag-image.ts';

/** An engine whose registry has one image, or none, and nothing is here yet; it builds nothing. */
class EmptyEngine extends ImageEngine {
  readonly calls: string[] = [];

  constructor(readonly labels: object | undefined) {
    super('podman');
  }

  override async call(...args: readonly string[]): Promise<string> {
    const [command = ''] = args;
    const pulled = this.calls.includes('pull');
    this.calls.push(command);
    if (command === 'pull' && !this.labels) throw new Error('podman pull failed:\nretrying in 1s\nmanifest unknown');
    if (command === 'image' && pulled) return JSON.stringify(this.labels);
    if (command === 'pull') return '';
    throw new Error(`podman ${command} failed:\nno such image`);
  }
}

function reTag(engine: ImageEngine) {
  const [image] = imagesNamed(['worker']);
  const previous = { version: '1.2.2', commit: 'c0ffee' };
  return reTagImage(engine, image!, { registry: 'example.test/shop', tags: ['1.2.3', 'latest'], previous });
}

const INSTEAD =
  'To build coordinator-worker anew instead: ' +
  'npm run images -- --only worker --registry example.test/shop --tag 1.2.3 --tag latest';

test('an image that was built from something else than the release before is refused', async () => {
  const engine = new EmptyEngine({ 'org.opencontainers.image.revision': 'c0ffee-dirty' });
  await expect(reTag(engine)).rejects.toThrow(
    `example.test/shop/coordinator-worker:1.2.2 was built from c0ffee-dirty and not from c0ffee.\n${INSTEAD}`,
  );
  expect(engine.calls).toEqual(['image', 'pull', 'image']);
});

test('an image without labels is refused', async () => {
  const engine = new EmptyEngine({});
  await expect(reTag(engine)).rejects.toThrow('was built from an unknown revision and not from c0ffee');
});

test('where the image before cannot be had, the last word of the engine is told, and another way', async () => {
  await expect(reTag(new EmptyEngine(undefined))).rejects.toThrow(
    `example.test/shop/coordinator-worker:1.2.2, which is to be re-tagged, cannot be had: manifest unknown\n${INSTEAD}`,
  );
});
