import { apiConfig, coreConfig, readConfig, sandboxConfig } from '@coordinator/config';
import { loadExtensions } from '@coordinator/extension';
import { installed } from '@coordinator/installed-extensions';
import { createLogger } from '@coordinator/logging';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentLines, startSandbox } from './sandbox.ts';

async function main(): Promise<void> {
  const config = readConfig([coreConfig, sandboxConfig, apiConfig.pick({ API_PORT: true })]);
  const {
    SANDBOX_PORT: port,
    API_PORT,
    SANDBOX_API_URL: apiUrl = `http://127.0.0.1:${API_PORT}`,
    LOG_LEVEL: level,
  } = config;
  const extensions = await loadExtensions(installed, config.COORDINATOR_EXTENSIONS);
  if (process.argv.includes('--print-env')) {
    process.stdout.write(await environmentLines(extensions, port));
    return;
  }
  if (config.NODE_ENV === 'production') {
    throw new Error('The sandbox answers in place of real services: it does not start with NODE_ENV=production.');
  }
  const { version } = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
  const log = createLogger({ service: 'sandbox', release: version, level });
  const server = await startSandbox({ extensions, port, apiUrl, log });

  // Once only: a second signal ends the process at once.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'sandbox stops');
      void server.close().then(() => process.exit(0));
    });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
