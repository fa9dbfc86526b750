import { freePort } from '@coordinator/task-testing';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchProcess } from '../bench-process.ts';

/** The token that every request shows. */
export const TOKEN = 'bench-token';

const READY_WITHIN_MS = 30_000;

/** A server that takes orders, in a process of its own. */
export interface AcceptServer {
  readonly process: BenchProcess;
  readonly origin: string;
}

/** Starts a server and waits until it has accepted an order. @throws Error with its last answer when it does not */
export async function startServer(
  name: string,
  script: string,
  env: NodeJS.ProcessEnv,
  flags: readonly string[] = [],
): Promise<AcceptServer> {
  const port = await freePort();
  const ports = { API_PORT: String(port), ADMIN_PORT: String(await freePort()) };
  const tokens = { API_TOKEN: TOKEN, API_TOKENS: `shop=${TOKEN}` };
  const process = new BenchProcess({ name, script, flags, env: { ...env, ...tokens, ...ports } });
  const origin = `http://127.0.0.1:${port}`;
  // It cannot be asked whether it listens: our API knows nothing of benchmarks.
  for (const giveUpAt = performance.now() + READY_WITHIN_MS; !(await listens(origin)); await delay(100)) {
    await process.cpuMicros();
    if (performance.now() > giveUpAt) throw new Error(`${name} does not listen on ${origin}`);
  }
  return { process, origin };
}

async function listens(origin: string): Promise<boolean> {
  try {
    await fetch(origin);
    return true;
  } catch {
    return false;
  }
}
