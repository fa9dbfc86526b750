import { parseArgs } from 'node:util';
import { exitCodeOf } from './exit-code.ts';
import { CannotCheckError } from './images/check/check-base.ts';
import { ImageCheck } from './images/check/image-check.ts';
import { Leftovers } from './images/check/leftovers.ts';
import { findEngine, ImageEngine, NoEngineError } from './images/image-engine.ts';
import { engineNamed } from './images/images-options.ts';

const USAGE = `Usage: npm run images:check -- [options]

Builds the images of this checkout and runs them as containers that are read-only, without capabilities, without root and
without a shell: an order goes through, in one whole trace, also one that an extension from elsewhere delivers, and SIGTERM
cuts nothing off. Tells sizes. Removes what it has made; a base that it has pulled stays.
  --base IMAGE   to build on. Default: that of deploy/images/Dockerfile; where no registry has it, one made by mmdebstrap
  --engine NAME  docker or podman. Default: the first one that works
  --required     exit code 69 where images cannot be built and run, in place of 0 and a line that says why
Exit code: 0 all holds, or it cannot be checked here; 1 something does not hold.`;

const leftovers = new Leftovers();
let engine: ImageEngine | undefined;

async function main(args: readonly string[]): Promise<void> {
  const { help, required, base, engine: wanted } = optionsOf(args);
  if (help) return say(USAGE);
  try {
    engine = await findEngine(engineNamed(wanted));
    await new ImageCheck({ engine, base, say, leftovers }).run();
  } catch (error) {
    const impossible = error instanceof CannotCheckError || error instanceof NoEngineError;
    if (!impossible || required) throw error;
    say(`Skipped, images cannot be checked here. ${error.message}`);
  }
}

function optionsOf(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const options = { base: text, engine: text, required: flag, help: { ...flag, short: 'h' } } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** Leaves nothing behind, also not of the step that is under way. */
async function cleanUp(): Promise<void> {
  if (!engine) return;
  await engine.close();
  for (const { message } of await leftovers.remove(new ImageEngine(engine.name)))
    tell(`Could not clean up: ${message}`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

const interrupted = new Promise<never>((_, stop) => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      stop(Object.assign(new Error('Interrupted: removing what was made …'), { exitCode: code }));
    });
  }
});

Promise.race([main(process.argv.slice(2)), interrupted])
  .catch((error: unknown) => {
    tell(error instanceof Error ? error.message : String(error));
    process.exitCode = exitCodeOf(error);
  })
  .finally(cleanUp)
  // What was interrupted may still wait for something.
  .finally(() => process.exit());
