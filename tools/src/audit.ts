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

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, repair: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return say(USAGE);
  const { repair = false, json = false } = values;
  const report = await withRedis(({ connection, retention }) => audit(connection, { repair, retention }));
  say(json ? JSON.stringify(report, undefined, 2) : drawAudit(report, repair));
  if (!report.balanced) process.exitCode = 1;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
});
