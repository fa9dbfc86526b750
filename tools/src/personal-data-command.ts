import { parseArgs } from 'node:util';
import { coreConfig, readConfig } from '@coordinator/config';
import { loadExtensions, Registry } from '@coordinator/extension';
import { installed } from '@coordinator/installed-extensions';
import { personalDataReport } from './personal-data-report.ts';

const USAGE = `Usage: npm run --silent personal-data

Lists what the installed extensions say about personal data, and those that COORDINATOR_EXTENSIONS names, as Markdown:
each field of a payload or event that holds some, of which type, and who has it erased.
Exit code: 0 listed; 2 it could not be done, such as where a field is not marked.`;

/** `npm run personal-data`; returns its exit code. @throws RegistryError where a field is not marked */
export async function personalDataCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values } = parseArgs({ args, options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { COORDINATOR_EXTENSIONS: further } = readConfig([coreConfig.pick({ COORDINATOR_EXTENSIONS: true })]);
  say(personalDataReport(new Registry(await loadExtensions(installed, further))));
  return 0;
}
