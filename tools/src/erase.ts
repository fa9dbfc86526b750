import { eraseCommand } from './erase-command.ts';
import { runOperatorCommand } from './operator-command.ts';

runOperatorCommand(eraseCommand);
