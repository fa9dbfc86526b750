import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APP_IMAGES } from '../app-image.ts';
import { type BuiltImage, buildImage } from '../build-image.ts';
import type { ImageEngine } from '../image-engine.ts';
import { CannotCheckError, canPullBase, makeBase } from './check-base.ts';
import { type CoordinatorImages, startContainers } from './container-stack.ts';
import { extensionLayer } from './extension-layer.ts';
import { compressedBytes, sizeLine, TARGET_BYTES } from './image-size.ts';
import { checkBill, checkConfinement } from './inside-container.ts';
import type { Leftovers } from './leftovers.ts';
import { checkDrain, checkOrder, checkParcel } from './order-check.ts';
import { checkLogs, checkVersions } from './release-check.ts';

/** What an {@link ImageCheck} works with. */
export interface ImageCheckOptions {
  readonly engine: ImageEngine;
  /** To build on. Default: that of the Dockerfile; where it cannot be had, one that is made here. */
  readonly base: string | undefined;
  /** Told what is done and found. */
  readonly say: (text: string) => void;
  /** Told what is made; to be removed by the caller, whatever happens. */
  readonly leftovers: Leftovers;
}

/** Builds the images and sees orders through them. */
export class ImageCheck {
  readonly #options: ImageCheckOptions;
  /** In no registry, and of no other check. */
  readonly #tag = `check-${process.pid}`;
  /** On all that is built here, what an engine keeps of the steps included. */
  readonly #labels = { 'coordinator.check': this.#tag };

  constructor(options: ImageCheckOptions) {
    this.#options = options;
  }

  /** @throws CannotCheckError where images cannot be built and run; Error that says what does not hold */
  async run(): Promise<void> {
    const { engine, say } = this.#options;
    if (!engine.runs) throw new CannotCheckError('buildah does not run what it builds: apt-get install podman runc');
    this.#options.leftovers.add((remover) => this.#removeImages(remover));
    const base = this.#options.base ?? (await this.#base());
    const where = { tags: [this.#tag], registry: 'localhost' };
    const built: Record<string, BuiltImage> = {};
    for (const image of APP_IMAGES) {
      say(`${image.name}: building with ${engine.name} …`);
      const one = await buildImage(engine, image, { ...where, base, labels: this.#labels });
      built[image.short] = one;
    }
    const { api, worker, sandbox } = built as Record<keyof CoordinatorImages, BuiltImage>;
    const referenceOf = ({ references: [reference = ''] }: BuiltImage) => reference;
    const images = { api: referenceOf(api), worker: referenceOf(worker), sandbox: referenceOf(sandbox) };
    await this.#isReproducible(worker);
    await this.#takesOrders(images);
    await this.#takesExtensions(images);
    await this.#isSmall(images);
  }

  async #base(): Promise<string | undefined> {
    const { engine, say } = this.#options;
    if (await canPullBase(engine)) return undefined;
    say('No registry has the base: making one of Debian packages and Node …');
    const reference = `localhost/coordinator-base:${this.#tag}`;
    await makeBase(engine, await this.#folder(), { tags: [reference], labels: this.#labels });
    return reference;
  }

  /** Deployments leave alone what has the same id. Docker's builder may put times into layers. */
  async #isReproducible({ image, id, rebuild }: BuiltImage): Promise<void> {
    const { engine, say } = this.#options;
    if (engine.name === 'docker') return;
    const reference = `localhost/${image.name}:${this.#tag}-again`;
    assert.equal(await rebuild(reference), id, `${image.name}, built again, is another image`);
    say(`${image.name}, built again, is the same image.`);
  }

  async #takesOrders(images: CoordinatorImages): Promise<void> {
    const { engine, say, leftovers, base } = this.#options;
    say('An order goes through the containers …');
    const stack = await startContainers(engine, images, leftovers);
    for (const container of [stack.api, stack.worker, stack.sandbox]) {
      await checkConfinement(container, { shellAllowed: base !== undefined });
      await checkBill(container);
    }
    const { 'org.opencontainers.image.version': release = '' } = await engine.labelsOf(images.api);
    await checkVersions(stack, release);
    const trace = await checkOrder(stack, release);
    await checkDrain(stack);
    checkLogs(stack, release);
    say(`All of it in one trace, of release ${release}:\n${trace.map((line) => `  ${line}`).join('\n')}`);
    say('SIGTERM has ended the worker after the call that it was in, and all others, with exit code 0.');
  }

  async #takesExtensions(images: CoordinatorImages): Promise<void> {
    const { engine, say, leftovers } = this.#options;
    say('An extension from elsewhere is put into the images …');
    const layer = await extensionLayer(engine, await this.#folder());
    const extend = (image: string) => layer.addTo(image, `${image}-extended`);
    const { api, worker, sandbox } = images;
    const extended = { api: await extend(api), worker: await extend(worker), sandbox: await extend(sandbox) };
    const stack = await startContainers(engine, extended, leftovers);
    await checkParcel(stack);
    await Promise.all([stack.api, stack.worker, stack.sandbox].map((container) => container.stop()));
    say('It has delivered an order.');
  }

  async #isSmall(images: CoordinatorImages): Promise<void> {
    const { engine, say, base } = this.#options;
    say('\nCompressed:');
    const tooLarge: string[] = [];
    for (const { short, name } of APP_IMAGES) {
      const bytes = await compressedBytes(engine, images[short as keyof CoordinatorImages]);
      say(sizeLine(name, bytes));
      if (short !== 'sandbox' && bytes > TARGET_BYTES) tooLarge.push(name);
    }
    // Who brings a base of their own has decided about its size.
    if (base === undefined) assert.deepEqual(tooLarge, [], 'larger than the target');
  }

  async #removeImages(engine: ImageEngine): Promise<void> {
    const mine = `label=coordinator.check=${this.#tag}`;
    const listed = await engine.call('images', '--filter', mine, '--format', '{{.Repository}}:{{.Tag}}');
    const references = listed.split('\n').filter((reference) => reference.includes(this.#tag));
    for (const reference of references) await engine.call('rmi', reference);
    // podman keeps the steps of a build as images without a name, and prunes none that looks like a step of another image.
    await engine.call('image', 'prune', '--force', '--filter', mine);
    const left = await engine.call('images', '--all', '--quiet', '--filter', mine);
    for (const id of new Set(left.split('\n').filter(Boolean))) await engine.call('rmi', id);
  }

  async #folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'coordinator-images-'));
    this.#options.leftovers.add(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }
}
