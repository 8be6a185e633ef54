// docs/performance.md: the template with the measured numbers in it; and its chart.

import { type DType, dtypes, operations, shapeName, titles } from '../cases.js';
import { dotPlot } from '../chart.js';
import type { Budget } from '../race.js';
import { panelsOf, speed } from '../report.js';
import { type Run, shownErrors } from '../run.js';
import { markdownTable, missing, shownNumber, shownRatio } from '../table.js';
import { memcpy, onAllThreads, onnxRuntime, own, torch, tuned } from './contestants.js';
import { verdictRows, verdictsOf } from './targets.js';

export interface Measured extends Run {
  readonly machine: {
    readonly cpu: string;
    readonly arch: string;
    readonly threads: number;
    readonly node: string;
    readonly date: string;
  };
  readonly budget: Budget;
}

const threadedNames: ReadonlySet<string> = new Set([own, tuned(onnxRuntime), tuned(torch)].map(onAllThreads));

/** Microseconds; a star for the fastest but the copy. */
function timeTable({ results, versions }: Run, dtype: DType, isShown: (name: string) => boolean): string {
  return operations
    .map((operation) => {
      const cases = results.filter((result) => result.operation === operation && result.dtype === dtype);
      const names = Object.keys(versions).filter(
        (name) => isShown(name) && cases.some(({ nanoseconds }) => nanoseconds[name]),
      );
      if (cases.length === 0 || names.length === 0) return '';
      const rows = cases.map((result) => {
        const medians = names.map((name) => result.nanoseconds[name]?.median);
        const fastest = Math.min(
          ...medians.flatMap((median, i) => (names[i] === memcpy ? [] : (median ?? []))),
        );
        const cells = medians.map((median) => {
          if (median === undefined) return missing;
          const text = shownNumber(median / 1e3);
          return median === fastest ? `**${text}**` : text;
        });
        return [shapeName(result.shape), ...cells, shownRatio(speed(result, memcpy, own))];
      });
      return `### ${titles[operation]}, ${dtype}\n\n${markdownTable([['shape', ...names, `${own} : ${memcpy}`], ...rows])}`;
    })
    .filter((table) => table !== '')
    .join('\n\n');
}

const allTables = (run: Run, isShown: (name: string) => boolean): string =>
  dtypes
    .map((dtype) => timeTable(run, dtype, isShown))
    .filter((tables) => tables !== '')
    .join('\n\n');

function targetTable(run: Run): string {
  const verdicts = verdictsOf(run.results);
  const met = verdicts.filter(({ verdict }) => verdict === 'met').length;
  const rows = verdictRows(verdicts).map((cells) =>
    cells.map((cell) => (cell.startsWith('not ') ? `**${cell}**` : cell)),
  );
  return `${met} of ${verdicts.length} are met.\n\n${markdownTable(rows)}`;
}

export function render(template: string, measured: Measured): string {
  const { machine, versions, results, budget } = measured;
  const parts: Record<string, string> = {
    machine: `${machine.cpu}, ${machine.arch}, ${machine.threads} threads, Node ${machine.node}`,
    date: machine.date.slice(0, 10),
    turn: `${budget.turn / 1e6} ms`,
    turns: `${budget.turns}`,
    versions: Object.entries(versions)
      .filter(([name, version]) => version !== '' && !threadedNames.has(name) && !name.endsWith(tuned('')))
      .map(([name, version]) => `${name} ${version}`)
      .join('; '),
    targets: targetTable(measured),
    single: allTables(measured, (name) => !threadedNames.has(name)),
    threaded: allTables(measured, (name) => threadedNames.has(name) || name === memcpy),
    errors: shownErrors(results)
      .map((line) => `- ${line}`)
      .join('\n'),
  };
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`performance.template.md: {{${name}}}?`);
    return part;
  });
}

/** Times relative to this library's, one thread, float32. */
export function chart({ machine, versions, results }: Measured): string {
  const names = Object.keys(versions).filter((name) => !threadedNames.has(name));
  return dotPlot({
    title: 'How many times as long as softmax-native others take, float32',
    subtitle: `${machine.cpu}, Node ${machine.node}, ${machine.date.slice(0, 10)}; one thread, medians`,
    axis: 'times as long as softmax-native; left of 1× is faster',
    series: names.map((name) => ({ name, isReference: name === own, isYardstick: name === memcpy })),
    panels: panelsOf(results, 'float32', names, (result, name) => speed(result, own, name)),
  });
}
