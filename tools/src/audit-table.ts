import type { AuditReport, QueueBooks } from '@coordinator/tasks';
import { textTable } from './text-table.ts';

const COLUMNS = [
  ...(['queue', 'accepted', 'waiting', 'scheduled', 'running', 'blocked', 'parked'] as const),
  ...(['completed', 'dead', 'cancelled', 'missing'] as const),
] satisfies (keyof QueueBooks)[];
const MOST_FAULTS = 20;

/** A report as text: a line per queue, then what is wrong, then what it means. */
export function drawAudit(report: AuditReport, repair: boolean): string {
  const rows = report.queues.map((books) => COLUMNS.map((column) => String(books[column])));
  const { faults } = report;
  const shown = faults.slice(0, MOST_FAULTS).map(({ where, what, repaired }) => {
    return `  ${repaired ? 'repaired' : 'wrong'}  ${where} ${what}`;
  });
  const more = faults.length > MOST_FAULTS ? [`  … and ${faults.length - MOST_FAULTS} more: --json lists all`] : [];
  const list = faults.length > 0 ? ['', ...shown, ...more] : [];
  return [textTable(COLUMNS, rows, { numbers: true }), ...list, '', ...verdict(report, repair)].join('\n');
}

function verdict({ queues, faults, balanced }: AuditReport, repair: boolean): string[] {
  if (balanced) return [queues.length > 0 ? 'The books balance.' : 'There is no queue in this Redis.'];
  const left = faults.filter(({ repaired }) => !repaired).length;
  const lost = queues.filter(({ missing }) => missing !== 0);
  return [
    'The books do not balance.',
    ...lost.map(({ queue, missing }) =>
      missing > 0
        ? `${queue}: ${missing} accepted that no index holds.`
        : `${queue}: ${-missing} that nobody has accepted.`,
    ),
    ...(left > 0
      ? [`${left} wrong.${repair ? '' : ' npm run audit -- --repair makes the indexes fit the records.'}`]
      : []),
  ];
}
