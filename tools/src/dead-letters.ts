import { deadLettersCommand } from './dead-letters-command.ts';
import { runOperatorCommand } from './operator-command.ts';

runOperatorCommand(deadLettersCommand);
