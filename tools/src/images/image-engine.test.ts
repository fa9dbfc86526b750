import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { eventually } from '@coordinator/task-testing';
import { findEngine, ImageEngine, NoEngineError } from './image-engine.ts';

const { PATH } = process.env;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-engine-'));
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true });
});

/** Stands in for an engine: a shell script of that name. */
function installed(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  process.env.PATH = `${folder}${delimiter}${PATH}`;
}

test('a docker command without its engine is passed over', async () => {
  installed('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
  installed('podman', 'exit 0');
  expect((await findEngine()).name).toBe('podman');
  await expect(findEngine('docker')).rejects.toThrow('docker: Cannot connect to the Docker daemon');
});

test('where nothing builds images, what was tried and what to install is told', async () => {
  process.env.PATH = folder;
  const failure = await findEngine().catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(NoEngineError);
  expect(failure).toMatchObject({
    exitCode: 69,
    message: expect.stringMatching(/buildah: not installed[^]*Install one/),
  });
});

test('a command that fails is told by what it said', async () => {
  installed('podman', 'echo "no such image" >&2; exit 125');
  await expect(new ImageEngine('podman').call('rmi', 'shop')).rejects.toThrow('podman rmi failed:\nno such image');
});

test('an engine that is closed finishes what runs, and takes nothing more', async () => {
  const [began, goOn] = [join(folder, 'began'), join(folder, 'go-on')];
  installed('podman', `touch '${began}'; while [ ! -e '${goOn}' ]; do sleep 0.02; done; echo built`);
  const engine = new ImageEngine('podman');
  const building = engine.call('build');
  await eventually(() => expect(existsSync(began)).toBe(true));

  let closed = false;
  const closing = engine.close().then(() => (closed = true));
  await expect(engine.call('build')).rejects.toThrow('closed');
  expect(closed).toBe(false);
  writeFileSync(goOn, '');
  await closing;
  expect(await building).toBe('built');
});
