export { ManagedProcess, type ManagedProcessOptions } from './managed-process.ts';
export { markdownTable } from './markdown-table.ts';
export { orderExample, type OrderExample } from './order-example.ts';
export { type Stack, type StackOptions, type StackPorts, type StackUrls, startStack } from './stack.ts';
export { NODE_FLAGS, REPOSITORY } from './repository.ts';
export { listFacts, runFacts, type RunFacts } from './run-facts.ts';
export { sandboxSettings } from './sandbox-settings.ts';
export { textTable, type TextTableOptions } from './text-table.ts';
export { type AppTree, type AppTreeOptions, SBOM_FILE, writeAppTree } from './images/app-tree.ts';
