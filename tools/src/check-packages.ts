import { runOperatorCommand } from './operator-command.ts';
import { checkPackages } from './packages/check-packages.ts';
import { REPOSITORY } from './repository.ts';

const USAGE = `Usage: npm run check:packages

Packs the packages that extensions in other repositories are built on, installs them into an empty folder, and compiles and
tests an extension there. It needs a registry, or its packages in the cache of npm. Exit code: 0 done; 2 a step failed.`;

runOperatorCommand(async (args, say) => {
  if (args[0] === '--help' || args[0] === '-h') say(USAGE);
  else if (args.length > 0) throw new Error(`It takes no arguments.\n\n${USAGE}`);
  else checkPackages(REPOSITORY, say);
  return 0;
});
