// Figures as a table and as JSON.

import type { Paint } from '../terminal.js';
import type { Fit } from './fit.js';
import type { Figures } from './tally.js';

const digits = 6;
const shown = (value: number): string => String(Number(value.toPrecision(digits)));

/** Names and values, a column for each temperature. */
function rowsOf(columns: readonly Figures[], classes: number): [string, string[]][] {
  const row = (name: string, value: (figures: Figures) => number): [string, string[]] => [
    name,
    columns.map((figures) => shown(value(figures))),
  ];
  const [{ rows, ignored, bins }] = columns as [Figures];
  return [
    ['rows', [String(rows)]],
    ['ignored', [String(ignored)]],
    ['classes', [String(classes)]],
    row('temperature', ({ temperature }) => temperature),
    row('cross-entropy', ({ crossEntropy }) => crossEntropy),
    row('perplexity', ({ perplexity }) => perplexity),
    row('accuracy', ({ accuracy }) => accuracy),
    row('top-5 accuracy', ({ top5Accuracy }) => top5Accuracy),
    row(`ECE, ${bins.length} ${bins.length === 1 ? 'bin' : 'bins'}`, ({ ece }) => ece),
    row('MCE', ({ mce }) => mce),
    row('Brier score', ({ brier }) => brier),
  ];
}

export function tableOf(
  columns: readonly Figures[],
  classes: number,
  fit: Fit | undefined,
  paint: Paint,
): string {
  const rows = rowsOf(columns, classes);
  if (fit) rows.push(['passes', [String(fit.passes)]]);
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const width = Math.max(...rows.flatMap(([, values]) => values.map(({ length }) => length)));
  return rows
    .map(([name, values]) =>
      [paint('dim', name.padEnd(nameWidth)), ...values.map((value) => value.padStart(width))].join('  '),
    )
    .join('\n');
}

/** JSON has no Infinity: null. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const figuresOf = ({ rows: _rows, ignored: _ignored, bins, ...figures }: Figures) => ({
  ...figures,
  crossEntropy: finite(figures.crossEntropy),
  perplexity: finite(figures.perplexity),
  bins,
});

export const jsonOf = (figures: Figures, classes: number, fit: Fit | undefined) => ({
  rows: figures.rows,
  ignored: figures.ignored,
  classes,
  ...figuresOf(figures),
  ...(fit && { fitted: { passes: fit.passes, ...figuresOf(fit.measured.figures) } }),
});
