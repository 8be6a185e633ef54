// The WebAssembly backend's kernels: the module's operations behind the seam of kernels.ts. What it has no kernel for,
// float64 and rows beyond its memory, JavaScript computes with the same bits.

import { jsKernels } from '../js/kernels.js';
import type {
  ArrayRows,
  BinaryRows,
  Elements,
  GradLoss,
  Kernels,
  ScaledRows,
  UnaryRows,
} from '../kernels.js';
import { leftToJs } from '../plain-tokens.js';
import type { Instance } from './instance.js';
import { type OperationEntry, readOperations } from './operations.js';
import { wasmPlainKernels } from './plain-kernels.js';
import { runInBlocks } from './run.js';
import { type SampleArrays, wasmSampling } from './sampling.js';

type Given = readonly (Elements | undefined)[];

const doubles = (data: Float64Array | undefined): Elements | undefined => data && { data, dtype: 'float64' };
const integers = (data: Int32Array | undefined): Elements<'int32'> | undefined =>
  data && { data, dtype: 'int32' };
const floats = (data: Float32Array | Float64Array | undefined): Elements | undefined =>
  data && { data, dtype: data instanceof Float64Array ? 'float64' : 'float32' };
const perRow = (value: GradLoss): Elements | undefined =>
  typeof value === 'number' ? undefined : doubles(value);
const single = (value: GradLoss): number => (typeof value === 'number' ? value : 1);

/** `tiny`: as many elements of a call are left to JavaScript. */
export function wasmKernels(instance: Instance, tiny: number): Kernels {
  const operations = readOperations(instance.exports);

  const entryOf = (name: string): OperationEntry => {
    const entry = operations.get(name);
    if (entry !== undefined) return entry;
    throw new Error(`the WebAssembly module has no operation ${name}`);
  };
  const runner = (name: string) => {
    const entry = entryOf(name);
    return (arrays: Given, numbers: readonly [number, number], rows: ScaledRows): boolean =>
      rows.outer * rows.length * rows.inner > tiny && runInBlocks(instance, { entry, arrays, numbers, rows });
  };

  const crossEntropy = runner('crossEntropy');
  const divergence = runner('divergence');
  const sample = runner('sample');
  const plain = wasmPlainKernels(instance, (name) => entryOf(name).number);

  const sampleInBlocks = (arrays: SampleArrays, count: number, rows: ScaledRows): void => {
    const { logits, raw, settings, uniforms, tokens, kept, logProbs, rawLogProbs } = arrays;
    const given = [floats(logits), doubles(settings), doubles(uniforms)];
    const outputs = [integers(tokens), integers(kept), floats(logProbs), floats(rawLogProbs)];
    const arrayList = [...given, ...outputs, floats(raw)];
    const isDone = sample(arrayList, [count, 0], { ...rows, multiplier: 1, mask: undefined });
    // All rows are then left to JavaScript.
    if (isDone) return;
    const { begin, end } = rows.range ?? { begin: 0, end: rows.outer };
    // `kept` may be the caller's: nothing of its own is called.
    for (let row = begin; row < end; row++) kept[row] = leftToJs;
  };

  return {
    plain,
    plainNew: plain,
    sampling: wasmSampling(sampleInBlocks),

    unary({ name, js }): UnaryRows {
      const run = runner(name);
      return (x, out, rows) => run([x, out], [0, 0], rows) || js(x, out, rows);
    },
    binary({ name, js }): BinaryRows {
      const run = runner(name);
      return (a, b, out, rows) => run([a, b, out], [0, 0], rows) || js(a, b, out, rows);
    },
    arrays({ name, js }): ArrayRows {
      // Those of sharded rows, which the module has no room for (native/operations.h); of one, not along other axes.
      if (!operations.has(name)) return js;
      const run = runner(name);
      const isOfLastAxis = name === 'blockSums';
      return (arrays, numbers, rows) =>
        (!(isOfLastAxis && rows.inner > 1) && run(arrays, numbers, rows)) || js(arrays, numbers, rows);
    },

    crossEntropy(problem, rows) {
      const { logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss } = problem;
      const classes = target instanceof Int32Array ? target : undefined;
      const probabilities = target instanceof Int32Array ? undefined : target;
      const isDone = crossEntropy(
        [
          ...[logits, grad, doubles(loss), floats(logSumExp), integers(classes), probabilities],
          ...[doubles(weight), perRow(gradLoss)],
        ],
        [single(gradLoss), labelSmoothing],
        rows,
      );
      return isDone || jsKernels.crossEntropy(problem, rows);
    },

    divergence(problem, rows) {
      const { student, teacher, divergence: out, grad, addend, gradLoss } = problem;
      const isDone = divergence(
        [student, teacher, doubles(out), grad, doubles(addend), perRow(gradLoss)],
        [single(gradLoss), 0],
        rows,
      );
      return isDone || jsKernels.divergence(problem, rows);
    },
  };
}
