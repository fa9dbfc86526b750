/** Runs a command with the arguments of this process; what it throws is told, and is exit code 2. */
export function runOperatorCommand(command: (args: string[], say: (text: string) => void) => Promise<number>): void {
  const say = (text: string) => process.stdout.write(`${text}\n`);
  command(process.argv.slice(2), say).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 2;
    },
  );
}
