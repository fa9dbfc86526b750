import { runOperatorCommand } from './operator-command.ts';
import { personalDataCommand } from './personal-data-command.ts';

runOperatorCommand(personalDataCommand);
