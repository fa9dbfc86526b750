import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishedPackages } from './published-packages.ts';

/** An extension that knows nothing of this repository but what its front door offers. */
const EXAMPLE = 'examples/warehouse';

/** What the extension is compiled and tested with, at the versions of this repository. */
const TOOLS = ['@jest/globals', '@swc/core', '@swc/jest', '@types/node', 'jest'];

const COMPILER_OPTIONS = {
  ...{ target: 'es2022', lib: ['es2023'], module: 'nodenext', types: ['node'], esModuleInterop: true },
  // Our types must hold for whoever checks them too.
  ...{ strict: true, skipLibCheck: false, rewriteRelativeImportExtensions: true, noEmit: true },
};

const JEST_CONFIG = `module.exports = {
  testTimeout: 20_000,
  transform: {
    '\\\\.ts$': ['@swc/jest', {
      swcrc: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    }],
  },
};
`;

/**
 * Packs what is published of a built checkout, installs it into an empty folder, as another repository would, and compiles
 * and tests an extension there.
 *
 * @throws Error with what the step said that failed
 */
export function checkPackages(workspace: string, say: (text: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'packages-'));
  const run = (step: string, cwd: string, command: string, ...args: string[]) => {
    say(`${step} …`);
    const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${step}: failed\n${error?.message ?? ''}${stdout}${stderr}`);
  };
  try {
    const published = publishedPackages(workspace).map((entry) => `--workspace=${entry.folder}`);
    run('Packing', workspace, 'npm', 'pack', `--pack-destination=${folder}`, '--loglevel=error', ...published);
    const packed = readdirSync(folder).map((file) => `./${file}`);
    prepareExtension(workspace, folder);
    run('Installing', folder, 'npm', 'install', '--prefer-offline', '--ignore-scripts', '--loglevel=error', ...packed);
    run('Compiling', folder, 'npx', 'tsc', '--project', '.');
    run('Testing', folder, 'npx', 'jest');
    say(`An extension that is built on ${packed.length} packages compiles, and its tests pass.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function prepareExtension(workspace: string, folder: string): void {
  const { devDependencies } = readManifest(join(workspace, 'package.json'));
  const { dependencies } = readManifest(join(workspace, EXAMPLE, 'package.json'));
  const tools = Object.fromEntries(TOOLS.map((name) => [name, devDependencies[name]]));
  const typescript = devDependencies['@typescript/native'];
  const others = Object.entries(dependencies).filter(([name]) => !name.startsWith('@coordinator/'));
  const manifest = {
    ...{ name: 'elsewhere', private: true, type: 'commonjs', dependencies: Object.fromEntries(others) },
    devDependencies: { ...tools, typescript },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['src'] }));
  writeFileSync(join(folder, 'jest.config.cjs'), JEST_CONFIG);
  cpSync(join(workspace, EXAMPLE, 'src'), join(folder, 'src'), { recursive: true });
}

function readManifest(file: string) {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<'dependencies' | 'devDependencies', Record<string, string>>;
}
