import { parseArgs } from 'node:util';
import { AdminClient, type AdminPage } from './admin-client.ts';
import { FILTER_OPTIONS, readLimit } from './dead-letter-filter.ts';
import { drawDeadLetters, type ShownDeadLetter } from './dead-letter-table.ts';
import { ADMIN_USAGE } from './operator-usage.ts';

const USAGE = `Usage: npm run dead-letters [-- [--queue Q] [--task T] [--outcome O] [--code C] [--limit N] [--json]]

Lists the jobs that failed for good, newest first.
  --queue Q    of this queue. Default: all of the installed extensions
  --task T     of this task, such as lms.enrol
  --outcome O  why: permanent, attempts-spent, gave-up, crashed-worker, payload-invalid or unreadable
  --code C     with this code of its error, such as COORD_DOWNSTREAM_REFUSED
  --limit N    at most so many. Default 50
  --json       prints them as JSON
${ADMIN_USAGE}
Exit code: 0 listed, 2 it could not be done.`;

/** `npm run dead-letters`; returns its exit code. @throws Error when it could not be done */
export async function deadLettersCommand(args: string[], say: (text: string) => void): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { ...FILTER_OPTIONS, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const limit = readLimit(values.limit ?? '50');
  const { queue, task, outcome, code } = values;
  const client = new AdminClient();
  const found: ShownDeadLetter[] = [];
  // One more tells that there are more.
  for (let cursor: string | null | undefined; cursor !== null && found.length <= limit;) {
    const query = { queue, task, outcome, code, cursor };
    const page: AdminPage<ShownDeadLetter> = await client.get('/dead-letters', query);
    found.push(...page.items);
    cursor = page.cursor;
  }
  const shown = found.slice(0, limit);
  if (values.json) say(JSON.stringify(shown, undefined, 2));
  else say(drawDeadLetters(shown, found.length > limit));
  return 0;
}
