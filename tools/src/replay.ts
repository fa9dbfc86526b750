import { runOperatorCommand } from './operator-command.ts';
import { replayCommand } from './replay-command.ts';

runOperatorCommand(replayCommand);
