import { join } from 'node:path';
import { findRedisServer, startRedis } from '@coordinator/task-testing';
import { claimDataFolder } from './data-folder.ts';
import { createLogView, type LogViewOptions } from './log-view.ts';
import { takenPorts } from './port-check.ts';
import { REPOSITORY } from './repository.ts';
import { type Stack, type StackPorts, startStack } from './stack.ts';
import { startBanner } from './start-banner.ts';
import { StartedRun } from './started-run.ts';

const USAGE = `Usage: npm start -- [--verbose]

Starts Redis (unless REDIS_URL is set), sandbox, API and worker, and shows their warnings and errors.
  --verbose  shows everything they log
Ports: API_PORT 8080, ADMIN_PORT 8081, WORKER_PORT 8082, SANDBOX_PORT 8090.`;

const DATA = join(REPOSITORY, '.coordinator', 'redis');

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) return say(USAGE);
  const unknown = args.find((arg) => arg !== '--verbose');
  if (unknown !== undefined) throw new Error(`There is no option ${unknown}.\n\n${USAGE}`);
  const ports = {
    api: portFrom('API_PORT', 8080),
    admin: portFrom('ADMIN_PORT', 8081),
    worker: portFrom('WORKER_PORT', 8082),
    sandbox: portFrom('SANDBOX_PORT', 8090),
  };
  const taken = await takenPorts([
    { user: 'API', variable: 'API_PORT', port: ports.api },
    { user: 'API (admin)', variable: 'ADMIN_PORT', port: ports.admin },
    { user: 'worker', variable: 'WORKER_PORT', port: ports.worker },
    { user: 'sandbox', variable: 'SANDBOX_PORT', port: ports.sandbox },
  ]);
  if (taken.length > 0) throw new Error(taken.join('\n'));

  const run = new StartedRun(say);
  try {
    const { urls } = await bringUp(run, ports, createLogView(viewOptions(args)));
    const redisNote = run.redis === undefined ? 'REDIS_URL' : `data kept in ${DATA}`;
    if (!run.ending) say(startBanner({ urls, redisNote, env: process.env }));
  } catch (error) {
    await run.fail(error);
  }
}

async function bringUp(run: StartedRun, ports: StackPorts, view: ReturnType<typeof createLogView>): Promise<Stack> {
  const { env } = process;
  if (!env.REDIS_URL) {
    run.atEnd(claimDataFolder(DATA));
    const binary = await findRedisServer({ log: say });
    run.useRedis(await startRedis({ binary, dir: DATA, args: ['--maxmemory', '1gb'], detached: true }));
  }
  return run.useStack(
    startStack({
      redis: run.redis ?? env.REDIS_URL,
      ports,
      env: { ...env },
      signal: run.aborted,
      onLine: (line, name) => {
        const shown = view(line, name);
        if (shown !== undefined) say(shown);
      },
      onUnexpectedEnd: (ended, { code, signal }) => {
        void run.fail(ended.failure(`ended with ${signal ?? `code ${code}`}`));
      },
    }),
  );
}

function viewOptions(args: readonly string[]): LogViewOptions {
  return { verbose: args.includes('--verbose'), colours: process.stdout.isTTY && !process.env.NO_COLOR };
}

function portFrom(variable: string, byDefault: number): number {
  const text = process.env[variable];
  if (!text) return byDefault;
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new Error(`${variable}=${text} is no port: give a number from 1 to 65535.`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  // For the person who typed the command: the message says it all, and a stack would hide it.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
