const swc = (parser) => [
  '@swc/jest',
  {
    swcrc: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2022', parser },
    module: { type: 'commonjs' },
  },
];

/** The one Jest configuration: sources of sibling projects are used as they are, so that tests need no build. */
module.exports = {
  testMatch: ['<rootDir>/src/**/*.test.ts'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@coordinator/source', 'node', 'node-addons'] },
  moduleFileExtensions: ['ts', 'js', 'cjs', 'mjs', 'json', 'node'],
  transform: {
    '\\.ts$': swc({ syntax: 'typescript' }),
    // It has ES modules only: Node 20.19 requires them as they are, Jest there does not.
    '/node_modules/jose/.+\\.js$': swc({ syntax: 'ecmascript' }),
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  testTimeout: 20_000,
};
