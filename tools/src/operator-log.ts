import { join } from 'node:path';
import { createLogger, type Logger } from '@coordinator/logging';
import { releaseOf } from '@coordinator/process';
import { REPOSITORY } from './repository.ts';

/** Logs what an operator's command does to the standard error, where it does not disturb what is printed. */
export function operatorLog(service: string): Logger {
  const destination = { write: (line: string) => void process.stderr.write(line) };
  return createLogger({ service, release: releaseOf(join(REPOSITORY, 'tools', 'src')), destination });
}
