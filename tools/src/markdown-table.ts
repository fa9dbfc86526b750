import type { TextTableOptions } from './text-table.ts';

/** A table in Markdown, its columns aligned as the formatter has them. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { numbers = false }: TextTableOptions = {},
): string {
  const widths = head.map((title, i) => Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const right = (column: number) => numbers && column > 0;
  const pad = (text: string, i: number) => (right(i) ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0));
  const line = (cells: readonly string[]) => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, i) => (right(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
