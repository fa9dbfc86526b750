/** How a {@link textTable} looks. */
export interface TextTableOptions {
  /** Whether all columns but the first hold numbers, and stand to the right. Default false. */
  readonly numbers?: boolean;
}

/** A table for a terminal, a line per row. A cell is taken as it is: it holds no line break. */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { numbers = false }: TextTableOptions = {},
): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const cell = (text: string, column: number) => {
    const width = widths[column] ?? 0;
    return numbers && column > 0 ? text.padStart(width) : text.padEnd(width);
  };
  return all.map((row) => `  ${row.map(cell).join('  ')}`.trimEnd()).join('\n');
}
