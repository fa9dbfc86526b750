import { parseArgs } from 'node:util';
import { audit } from '@coordinator/tasks';
import { drawAudit } from './audit-table.ts';
import { withRedis } from './operator-redis.ts';

const USAGE = `Usage: npm run audit [-- [--json] [--repair]]

Checks the books of a live system: whether every job that was accepted is where its record says.
  --json    prints the report as JSON
  --repair  makes the indexes fit the records; deletes no record, and may be repeated
Reads REDIS_URL redis://127.0.0.1:6379, as the processes do.
Exit code: 0 the books balance, 1 they do not, 2 they could not be checked.`;

/** `npm run audit`; returns its exit code. @throws Error when the books could not be checked */
export async function auditCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, repair: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const { repair = false, json = false } = values;
  const report = await withRedis(({ connection, retention }) => audit(connection, { repair, retention }));
  say(json ? JSON.stringify(report, undefined, 2) : drawAudit(report, repair));
  return report.balanced ? 0 : 1;
}
