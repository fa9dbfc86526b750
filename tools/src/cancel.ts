import { cancelCommand } from './cancel-command.ts';
import { runOperatorCommand } from './operator-command.ts';

runOperatorCommand(cancelCommand);
