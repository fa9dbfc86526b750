import type { Extension, Fake } from '@coordinator/extension';
import type { Logger } from '@coordinator/logging';
import { environmentOf, startFakeServer, type FakeServer } from '@coordinator/task-testing';

/** What a sandbox is made of. */
export interface SandboxOptions {
  readonly extensions: readonly Extension[];
  /** 0 for a free one. */
  readonly port: number;
  /** Where webhooks are sent to. */
  readonly apiUrl: string;
  readonly log: Logger;
}

/** Loads the fakes of the extensions that have one. */
async function loadFakes(extensions: readonly Extension[]): Promise<Readonly<Record<string, Fake>>> {
  const named = extensions.map(async ({ name, fake }) => fake && ([name, await fake()] as const));
  return Object.fromEntries((await Promise.all(named)).filter((entry) => entry !== undefined));
}

/** Plays all fakes as one server, for other hosts too. @throws Error EADDRINUSE and the like */
export async function startSandbox({ extensions, port, apiUrl, log }: SandboxOptions): Promise<FakeServer> {
  const fakes = await loadFakes(extensions);
  // Containers of API and workers reach it over their network.
  const server = await startFakeServer({ fakes, port, host: '0.0.0.0', apiUrl });
  log.info({ url: server.url, apiUrl, fakes: Object.keys(fakes) }, 'sandbox is ready');
  return server;
}

/** The environment variables that point all extensions to a sandbox on this port, as `NAME=value` lines. */
export async function environmentLines(extensions: readonly Extension[], port: number): Promise<string> {
  const variables = environmentOf(await loadFakes(extensions), `http://127.0.0.1:${port}`);
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return lines.join('');
}
