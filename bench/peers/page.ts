// docs/performance.md: the template with the measured numbers in it; and its chart.

import { type DType, dtypes, type Operation, operations, rowsOf, shapeName, titles } from '../cases.js';
import type { Budget } from '../race.js';
import { tolerances } from '../reference.js';
import { speedChart } from '../report.js';
import type { Result, Run } from '../run.js';
import { markdownTable, missing, shownNumber, shownTime } from '../table.js';
import {
  avx2,
  javascript,
  memcpy,
  onAllThreads,
  onnxRuntime,
  own,
  plainLoop,
  tensorflow,
  torch,
  transformers,
  tuned,
} from './contestants.js';

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

/** By the name that the page shows: one contestant, or two ways of running one, of which the faster counts. */
const single: Readonly<Record<string, readonly string[]>> = {
  'softmax-native': [own],
  'with AVX2': [avx2],
  'JavaScript backend': [javascript],
  'plain loop': [plainLoop],
  'ONNX Runtime': [onnxRuntime, tuned(onnxRuntime)],
  PyTorch: [torch, tuned(torch)],
  'TensorFlow.js': [tensorflow],
  'transformers.js': [transformers],
  copy: [memcpy],
};
const threaded: Readonly<Record<string, readonly string[]>> = {
  'softmax-native': [onAllThreads(own)],
  'ONNX Runtime': [onAllThreads(tuned(onnxRuntime))],
  PyTorch: [onAllThreads(tuned(torch))],
};

type Contestants = typeof single;

/** Of at least this many elements: shorter calls stay in one thread. */
const threadedSize = 32_000;
const inChart = ['4096×10', '64×1000', '1×128256'];
const libraryNames = [own, onnxRuntime, torch, tensorflow, transformers];
const chartNames = ['softmax-native', 'ONNX Runtime', 'PyTorch', 'TensorFlow.js', 'JavaScript backend'];

function median({ nanoseconds }: Result, names: readonly string[]): number | undefined {
  const medians = names.flatMap((name) => nanoseconds[name]?.median ?? []);
  return medians.length > 0 ? Math.min(...medians) : undefined;
}

/** Microseconds; the fastest in bold, which a copy can't be. */
function timeTable(
  head: string,
  rows: readonly { readonly label: string; readonly result: Result }[],
  contestants: Contestants,
): string {
  const columns = Object.entries(contestants).filter(([, names]) =>
    rows.some(({ result }) => median(result, names) !== undefined),
  );
  const lines = rows.map(({ label, result }) => {
    const medians = columns.map(([, names]) => median(result, names));
    const fastest = Math.min(
      ...medians.filter((_, i) => columns[i]?.[0] !== 'copy').map((m) => m ?? Infinity),
    );
    const cells = medians.map((value) => {
      if (value === undefined) return missing;
      const shown = shownNumber(value / 1e3);
      return value === fastest ? `**${shown}**` : shown;
    });
    return [label, ...cells];
  });
  return markdownTable([[head, ...columns.map(([name]) => name)], ...lines]);
}

const of = (results: readonly Result[], operation: Operation, dtype: DType) =>
  results.filter((result) => result.operation === operation && result.dtype === dtype);

/** A table for each function. */
const singleTables = (results: readonly Result[]): string =>
  operations
    .map((operation) => {
      const rows = of(results, operation, 'float32').map((result) => ({
        label: shapeName(result.shape),
        result,
      }));
      return `### ${titles[operation]}\n\n${timeTable('shape', rows, single)}`;
    })
    .join('\n\n');

/** A table of all functions. */
const labelled = (results: readonly Result[], dtype: DType) =>
  operations.flatMap((operation) =>
    of(results, operation, dtype).map((result) => ({
      label: `${titles[operation]} ${shapeName(result.shape)}`,
      result,
    })),
  );

function threadedTable(results: readonly Result[]): string {
  const isLarge = ({ shape }: Result) => {
    const { rows, classes } = rowsOf(shape);
    return rows * classes >= threadedSize;
  };
  return timeTable('function, shape', labelled(results.filter(isLarge), 'float32'), threaded);
}

const otherTables = (results: readonly Result[]): string =>
  dtypes
    .filter((dtype) => dtype !== 'float32')
    .map((dtype) => `### ${dtype}\n\n${timeTable('function, shape', labelled(results, dtype), single)}`)
    .join('\n\n');

/** The worst error of each contestant, on one thread or on all. */
function errorTable(results: readonly Result[]): string {
  const rows = Object.entries(single)
    .filter(([name]) => name !== 'copy')
    .map(([name, names]) => {
      const all = [...names, ...(threaded[name] ?? [])];
      const cells = dtypes.map((dtype) => {
        const errors = results
          .filter((result) => result.dtype === dtype)
          .flatMap((result) => all.flatMap((member) => result.errors[member] ?? []));
        return errors.length > 0 ? Math.max(...errors).toExponential(1) : missing;
      });
      return [name, ...cells];
    });
  const bounds = dtypes.map((dtype) => `${tolerances[dtype]}`);
  return markdownTable([['', ...dtypes], ...rows, ['counts as right up to', ...bounds]]);
}

/** `softmax 64×1000`: its time; `softmax 64×1000: PyTorch`: how many times as fast as PyTorch. One thread, float32. */
function figure(results: readonly Result[], text: string): string | undefined {
  const [, operation, shape, peer] = /^(\w+) ([\d×]+)(?:: (.+))?$/.exec(text) ?? [];
  const found = of(results, operation as Operation, 'float32').find(
    (result) => shapeName(result.shape) === shape,
  );
  const time = found && median(found, single['softmax-native'] ?? []);
  if (found === undefined || time === undefined) return undefined;
  if (peer === undefined) return shownTime(time);
  const other = median(found, single[peer] ?? []);
  if (other === undefined) return undefined;
  return (other / time).toFixed(other / time < 9.95 ? 1 : 0);
}

export function render(template: string, measured: Measured): string {
  const { machine, versions, results, budget } = measured;
  const libraries = Object.entries(single).filter(([, [name = '']]) => libraryNames.includes(name));
  const parts: Record<string, string> = {
    machine: `${machine.cpu}, ${machine.arch}, ${machine.threads} threads, Node ${machine.node}`,
    date: machine.date.slice(0, 10),
    turn: `${budget.turn / 1e6} ms`,
    turns: `${budget.turns}`,
    versions: libraries.map(([shown, [name = '']]) => `${shown} ${versions[name]}`).join('; '),
    single: singleTables(results),
    threaded: threadedTable(results),
    others: otherTables(results),
    errors: errorTable(results),
  };
  return template.replaceAll(/\{\{(.+?)\}\}/g, (_, name: string) => {
    const part = parts[name] ?? figure(results, name);
    if (part === undefined) throw new Error(`performance.template.md: {{${name}}}?`);
    return part;
  });
}

/** One thread, float32. */
export function chart({ machine, results }: Measured): string {
  const shown = results
    .filter(({ operation }) => operation === 'softmax' || operation === 'crossEntropy')
    .filter(({ shape }) => inChart.includes(shapeName(shape)))
    .map((result) => {
      const times = Object.entries(single).flatMap(([name, names]) => {
        const time = median(result, names);
        return time === undefined ? [] : [[name, { median: time }]];
      });
      return { ...result, nanoseconds: Object.fromEntries(times) };
    })
    .toSorted((a, b) => inChart.indexOf(shapeName(a.shape)) - inChart.indexOf(shapeName(b.shape)));
  const subtitle = `Longer is faster. Rows×classes of float32, one thread, AVX-512; ${machine.cpu}, Node ${machine.node}, ${machine.date.slice(0, 10)}`;
  return speedChart(shown, 'float32', chartNames, 'plain loop', subtitle);
}
