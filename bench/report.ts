// What `npm run bench calls` shows: a table for each operation and type, and a chart for each type.

import { type DType, type Operation, operations, shapeName, titles } from './cases.js';
import { barChart } from './chart.js';
import type { Result } from './run.js';
import { shownRatio, shownTime, textTable } from './table.js';

const of = (results: readonly Result[], operation: Operation, dtype: DType): readonly Result[] =>
  results.filter((result) => result.operation === operation && result.dtype === dtype);

/** How many times as fast `name` is as `reference`. */
function speed({ nanoseconds }: Result, name: string, reference: string): number | undefined {
  const [time, other] = [nanoseconds[name]?.median, nanoseconds[reference]?.median];
  return time !== undefined && other !== undefined ? other / time : undefined;
}

/** The last column: how many times as fast `own` is as `reference`. */
export function tablesOf(
  results: readonly Result[],
  dtype: DType,
  names: readonly string[],
  own: string,
  reference: string,
): string {
  return operations
    .map((operation) => ({ operation, cases: of(results, operation, dtype) }))
    .filter(({ cases }) => cases.length > 0)
    .map(({ operation, cases }) => {
      const rows = cases.map((result) => [
        shapeName(result.shape),
        ...names.map((name) => shownTime(result.nanoseconds[name]?.median)),
        shownRatio(speed(result, own, reference)),
      ]);
      const table = textTable([['shape', ...names, `${reference} : ${own}`], ...rows]);
      return `${titles[operation]}, ${dtype}\n${table}`;
    })
    .join('\n\n');
}

/** A panel for each operation: how many times as fast as `reference`, by shape and contestant. */
export function speedChart(
  results: readonly Result[],
  dtype: DType,
  names: readonly string[],
  reference: string,
  subtitle: string,
): string {
  return barChart({
    title: `Times as fast as a plain Math.exp loop, ${dtype}`,
    subtitle,
    names,
    panels: operations
      .map((operation) => ({ title: titles[operation], cases: of(results, operation, dtype) }))
      .filter(({ cases }) => cases.length > 0)
      .map(({ title, cases }) => ({
        title,
        groups: cases.map((result) => ({
          label: shapeName(result.shape),
          values: Object.fromEntries(
            names.flatMap((name) => {
              const found = speed(result, name, reference);
              return found === undefined ? [] : [[name, found]];
            }),
          ),
        })),
      })),
  });
}
