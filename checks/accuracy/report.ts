// docs/numerics.md: the template with the measured numbers in it.

import type { Statistic, Statistics } from './measure.js';

export interface Measured {
  readonly machine: string;
  /** In the order of the columns; the library first. */
  readonly contestants: readonly { readonly name: string; readonly version: string }[];
  readonly missing: readonly string[];
  readonly statistics: Statistics;
}

/** The library's worst errors that this page promises, in ULP. */
export const promises: Readonly<Record<string, number>> = {
  'float32 softmax': 4,
  'float32 logSoftmax': 4,
  'float32 logSumExp': 4,
  'float32 loss': 4,
  // 1e-6 relative is at least 8.3 ULP.
  'float32 gradient': 8.3,
  // Half an ULP is the rounding of the float32 result; that one's error may tip it.
  'float16 softmax': 0.501,
  'float16 logSoftmax': 0.501,
  'float16 gradient': 0.501,
  'bfloat16 softmax': 0.501,
  'bfloat16 logSoftmax': 0.501,
  'bfloat16 gradient': 0.501,
};

export function brokenPromises(statistics: Statistics, name: string): string[] {
  return Object.entries(promises).flatMap(([key, bound]) => {
    const statistic = statistics[key]?.[name];
    if (!statistic) return [`${key} was not measured`];
    const { worst, where } = statistic;
    return worst <= bound ? [] : [`${key}: ${worst} ULP (${where}), promised ${bound}`];
  });
}

function shown(value: number): string {
  if (value < 0.005) return '0';
  if (value < 10) return value.toFixed(2);
  if (value < 999.5) return value.toFixed(0);
  if (value < 99999.5) return Math.round(value).toLocaleString('en');
  return Number.isFinite(value) ? value.toExponential(1).replace('e+', 'e') : '∞';
}

const cell = (statistic: Statistic | undefined): string =>
  statistic ? `${shown(statistic.worst)} / ${shown(statistic.sum / statistic.count)}` : '—';

function table(
  { contestants, statistics }: Measured,
  first: string,
  rows: readonly [label: string, key: string][],
): string {
  const names = contestants.map(({ name }) => name);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line([first, ...names]),
    line([first, ...names].map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map(([label, key]) => line([label, ...names.map((name) => cell(statistics[key]?.[name]))])),
  ].join('\n');
}

/** The keys of one break-down: `float32 softmax, scale 10` → `10`. */
function breakdown({ statistics }: Measured, pattern: RegExp): [string, string][] {
  return Object.keys(statistics).flatMap((key) => {
    const [, label] = pattern.exec(key) ?? [];
    return label === undefined ? [] : [[label, key] as [string, string]];
  });
}

const firstNumber = ([label]: [string, string]): number => Number.parseFloat(label.replaceAll(',', ''));

/** `more`: parts of the page that are not measured here. */
export function render(template: string, measured: Measured, more: Readonly<Record<string, string>>): string {
  const { contestants, missing, statistics } = measured;
  const functions = Object.keys(statistics).filter((key) => !key.includes(','));
  const lengths = breakdown(measured, /^float32 softmax, (.*) classes$/);
  const kinds = breakdown(measured, /^float32 softmax, (?!scale )((?:(?! classes$).)*)$/);
  const byNumber = (a: [string, string], b: [string, string]) => firstNumber(a) - firstNumber(b);
  const softmax = statistics['float32 softmax']?.[contestants[0]?.name as string] as Statistic;
  const parts: Record<string, string> = {
    ...more,
    machine: measured.machine,
    contestants: contestants.map(({ name, version }) => `${name} ${version}`).join(', '),
    missing:
      missing.length > 0
        ? `Not installed when this was measured: ${missing.join(', ')}.`
        : 'None was missing.',
    count: `${(softmax.count / 1e6).toFixed(0)} million`,
    worstSoftmax: shown(softmax.worst),
    functions: table(
      measured,
      'function',
      functions.map((key) => [key, key]),
    ),
    lengths: table(measured, 'classes', lengths.sort(byNumber)),
    kinds: table(measured, 'rows', kinds),
  };
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`numerics.template.md: {{${name}}}?`);
    return part;
  });
}
