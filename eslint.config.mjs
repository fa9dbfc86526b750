import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

/** Which room may open the door of which: arrows point down, and an extension never knows another one. */
const rooms = {
  'room:base': ['room:base'],
  'room:engine': ['room:engine', 'room:base'],
  'room:extension-kit': ['room:engine', 'room:base'],
  'room:testing': ['room:extension-kit', 'room:engine', 'room:base'],
  'room:extension': ['room:extension-kit'],
  'room:installed': ['room:extension', 'room:extension-kit'],
  'room:process': ['room:extension-kit', 'room:engine', 'room:base'],
  'room:app': [
    ...['room:app', 'room:process', 'room:installed', 'room:extension'],
    ...['room:extension-kit', 'room:engine', 'room:base'],
  ],
  'room:tool': ['*'],
};

const boundaries = (furtherRooms = []) => [
  'error',
  {
    depConstraints: Object.entries(rooms).map(([sourceTag, allowed]) => ({
      sourceTag,
      onlyDependOnLibsWithTags: allowed.includes('*') ? allowed : [...allowed, ...furtherRooms],
    })),
    // The tests of a lib may use the harness that is built on that lib. It is a circle of projects, not of builds.
    ignoredCircularDependencies: ['room:base', 'room:engine', 'room:extension-kit', 'room:process'].map((room) => [
      `tag:${room}`,
      'tag:room:testing',
    ]),
  },
];

/** Packages with one home each, so that replacing one touches one folder. */
const homes = [
  {
    regex: '^bee-queue($|/)',
    message: 'Only libs/tasks/src/bee-queue knows bee-queue: use the front door of @coordinator/tasks.',
    home: ['libs/tasks/src/bee-queue', 'bench'],
  },
  {
    regex: '^@opentelemetry/(sdk-|exporter-|instrumentation)',
    message: 'Only libs/tracing knows the OpenTelemetry SDK: use @opentelemetry/api.',
    home: ['libs/tracing', 'libs/task-testing'],
  },
  {
    regex: '^undici($|/)',
    message: 'Only libs/downstream speaks HTTP to services: use its DownstreamClient.',
    home: ['libs/downstream', 'libs/task-testing', 'tools', 'e2e', 'bench', 'prove'],
  },
];

/** A static import would pull handlers, and all they need, into the API process. */
const handlers = {
  regex: '/handlers(/|$)',
  message: "Handlers are loaded by workers only: use () => import('./handlers/<task>.ts').",
  allowTypeImports: true,
};

const restrictedImports = (patterns) => [
  'error',
  { patterns: patterns.map(({ regex, message, allowTypeImports }) => ({ regex, message, allowTypeImports })) },
];

/** One rule holds all restrictions and the last options of a rule win, so each home lists what is still closed to it. */
const restrictionsByHome = [...new Set(homes.flatMap(({ home }) => home))].map((folder) => ({
  files: [`${folder}/**/*.{ts,mts,cts}`],
  rules: {
    '@typescript-eslint/no-restricted-imports': restrictedImports([
      handlers,
      ...homes.filter(({ home }) => !home.includes(folder)),
    ]),
  },
}));

/**
 * From the root everything is one program, which is five times as quick as one program per project (11 s against 60 s);
 * Nx lints a project from its own folder, and then its own program is enough.
 */
const program = process.cwd() === import.meta.dirname ? 'tsconfig.all.json' : true;

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/tmp/**',
      '**/coverage/**',
      '**/files/**',
      '.nx/**',
      '.coordinator/**',
      'deploy/**',
    ],
  },
  {
    files: ['**/*.{ts,mts,cts}'],
    plugins: { '@typescript-eslint': tseslint.plugin, '@nx': nx },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: program, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // What loses work in a queue: a promise nobody waits for, a condition that is always true, a state nobody handles.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/no-base-to-string': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/no-implied-eval': 'error',
      '@typescript-eslint/no-unsafe-enum-comparison': 'error',
      // Plain faults.
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'none' }],
      '@typescript-eslint/no-unused-expressions': 'error',
      'no-cond-assign': ['error', 'always'],
      'no-constant-binary-expression': 'error',
      'no-debugger': 'error',
      'no-dupe-else-if': 'error',
      'no-empty': ['error', { allowEmptyCatch: false }],
      'no-self-compare': 'error',
      'no-template-curly-in-string': 'error',
      'no-unsafe-finally': 'error',
      'no-useless-catch': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // House rules.
      'max-lines': ['error', { max: 400 }],
      '@nx/enforce-module-boundaries': boundaries(),
      '@typescript-eslint/no-restricted-imports': restrictedImports([handlers, ...homes]),
    },
  },
  ...restrictionsByHome,
  {
    // What an extension reads is what it declares: the registry gives it nothing else, and here is nothing else to take.
    files: ['extensions/**/*.ts', 'examples/**/*.ts', 'prove/src/extension/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: "Declare the variable in the extension's config or routeConfig.",
        },
      ],
    },
  },
  {
    // A handler may know its neighbours, and its test the handler.
    files: ['**/handlers/**/*.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': restrictedImports(homes) },
  },
  {
    // Tests and fakes run against the harness; the sandbox app is made of the fakes.
    files: ['**/*.test.ts', '**/fake.ts', '**/fixtures/**/*.ts', 'apps/sandbox/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries(['room:testing']) },
  },
  {
    files: ['**/*.test.ts'],
    rules: {
      // A test may lean on what it has just checked, and throws odd things to see what becomes of them.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
);
