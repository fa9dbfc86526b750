import { execFileSync } from 'node:child_process';

const LONGEST_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs git in one checkout. */
export class Git {
  constructor(readonly folder: string) {}

  /** Runs git and gives back what it printed, without the last line break. @throws Error with what git said */
  run(...args: string[]): string {
    return this.feed('', ...args);
  }

  /** The same, with `input` as its standard input. */
  feed(input: string, ...args: string[]): string {
    const output = execFileSync('git', args, {
      cwd: this.folder,
      encoding: 'utf8',
      input,
      maxBuffer: LONGEST_OUTPUT_BYTES,
      // A git that asks for a password would hold up everything.
      env: { ...process.env, GIT_TERMINAL_PROMPT: '0' },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return output.replace(/\n$/, '');
  }

  /** Like run(), but undefined where git fails. */
  ask(...args: string[]): string | undefined {
    try {
      return this.run(...args);
    } catch {
      return undefined;
    }
  }

  /** The hash of the content of HEAD, or undefined where files differ from it, new ones included. */
  cleanTree(): string | undefined {
    return this.ask('status', '--porcelain') === '' ? this.ask('rev-parse', 'HEAD^{tree}') : undefined;
  }
}
