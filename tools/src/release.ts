import { runOperatorCommand } from './operator-command.ts';
import { releaseCommand } from './release/release-command.ts';
import { REPOSITORY } from './repository.ts';

runOperatorCommand((args, say) => Promise.resolve().then(() => releaseCommand(args, say, REPOSITORY)));
