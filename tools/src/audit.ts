import { auditCommand } from './audit-command.ts';
import { runOperatorCommand } from './operator-command.ts';

runOperatorCommand(auditCommand);
