/** Runs a command with the arguments of this process; what it throws is told, and is exit code 2. */
export function runOperatorCommand(command: (args: string[], say: (text: string) => void) => Promise<number>): void {
  // Whoever reads only the first lines, as `| head` does, has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const say = (text: string) => process.stdout.write(`${text}\n`);
  command(process.argv.slice(2), say).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
