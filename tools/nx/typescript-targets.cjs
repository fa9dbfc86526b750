const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

/**
 * Nx plugin: gives every project that has a tsconfig.build.json a `build` and a `typecheck` target. Unlike the stock plugin
 * its builds wait for a package's `dependencies` only: the tests of a lib may use what is built on that lib, a build may not.
 */
exports.createNodes = [
  '**/tsconfig.build.json',
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file);
      return [file, { projects: { [root]: { targets: targets(join(workspaceRoot, root)) } } }];
    }),
];
exports.createNodesV2 = exports.createNodes;
exports.name = 'coordinator/typescript-targets';

function targets(folder) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const projects = Object.keys(dependencies).filter((name) => name.startsWith('@coordinator/'));
  const compiler = { externalDependencies: ['@typescript/native'] };
  return {
    build: {
      command: 'tsc --build tsconfig.build.json',
      options: { cwd: '{projectRoot}' },
      cache: true,
      ...(projects.length > 0 ? { dependsOn: [{ projects, target: 'build' }] } : {}),
      inputs: ['production', '^production', compiler],
      outputs: ['{projectRoot}/dist'],
    },
    typecheck: {
      command: 'tsc --project tsconfig.json',
      options: { cwd: '{projectRoot}' },
      cache: true,
      inputs: ['default', '^production', compiler],
      outputs: [],
    },
  };
}
