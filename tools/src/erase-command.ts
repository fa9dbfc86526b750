import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { AdminClient, type AdminPage } from './admin-client.ts';
import { rewriteAppendOnlyFile } from './append-only-file.ts';
import { ERASE_USAGE, eraseOptions } from './erase-options.ts';
import { drawErasures, type ShownErasure } from './erase-report.ts';
import { withRedis } from './operator-redis.ts';

/** `npm run erase`; returns its exit code. @throws Error when it could not be done */
export async function eraseCommand(args: string[], say: (text: string) => void): Promise<number> {
  const options = eraseOptions(args);
  if (!options) {
    say(ERASE_USAGE);
    return 0;
  }
  const { subject, why, forgetSubject, dryRun, yes, rewrite } = options;
  const client = new AdminClient();
  const erase = async (how: object): Promise<readonly ShownErasure[]> => {
    const path = `/subjects/${encodeURIComponent(subject)}/erase`;
    const answer = await client.post<AdminPage<ShownErasure>>(path, { why, forgetSubject, ...how });
    return answer?.items ?? [];
  };
  const found = await erase({ dryRun: true });
  if (found.length === 0) say(`Redis knows no job about ${subject}. Is it spelled as at acceptance?`);
  else if (dryRun || !yes) say(drawErasures(found, true));
  if (found.length > 0 && !dryRun) {
    if (!yes) await confirm(subject);
    say(drawErasures(await erase({}), false));
  }
  if (rewrite && !dryRun) {
    say('\nRedis rewrites its append-only file …');
    const rewritten = await withRedis(({ connection }) => rewriteAppendOnlyFile(connection));
    say(rewritten ? 'It holds only what is left.' : 'Redis keeps no append-only file: there is nothing to rewrite.');
  }
  return found.length > 0 ? 0 : 1;
}

async function confirm(subject: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Error('Nothing was erased: nobody can be asked here. Add --yes.');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-C and Ctrl-D close it, and leave the question open.
  const closed = once(terminal, 'close').then(() => '');
  const answer = await Promise.race([
    terminal.question('\nThis cannot be undone. Type the subject to go on: '),
    closed,
  ]);
  terminal.close();
  if (answer.trim() !== subject) throw new Error('Nothing was erased.');
}
