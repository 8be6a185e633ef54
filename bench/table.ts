// Tables of text, for a terminal or for Markdown.

export const missing = '–';

/** Three digits and a unit. */
export function shownTime(nanoseconds: number | undefined): string {
  if (nanoseconds === undefined) return missing;
  const [value, unit] =
    nanoseconds < 999.5
      ? [nanoseconds, 'ns']
      : nanoseconds < 999.5e3
        ? [nanoseconds / 1e3, 'µs']
        : [nanoseconds / 1e6, 'ms'];
  return `${shownNumber(value)} ${unit}`;
}

/** Three digits. */
export function shownNumber(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value < 9.995 ? 2 : 1);
}

export const shownRatio = (ratio: number | undefined): string =>
  ratio === undefined || Number.isNaN(ratio) ? missing : `${shownNumber(ratio)}×`;

/** The first column to the left, all others to the right. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
        .join('  '),
    )
    .join('\n');
}

export function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
