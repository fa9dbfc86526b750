import { dependenciesCommand } from './dependencies/dependencies-command.ts';
import { runOperatorCommand } from './operator-command.ts';
import { REPOSITORY } from './repository.ts';

runOperatorCommand((args, say) => Promise.resolve().then(() => dependenciesCommand(args, say, REPOSITORY)));
