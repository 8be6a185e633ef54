// The JavaScript backend: the kernels of native/kernels in plain JavaScript, with the same bits.

import type { BinaryRows, Elements, Kernels, Multipliers, Rows, ScaledRows, UnaryRows } from '../kernels.js';
import type { softmaxBackwardRow, softmaxJacobianRow } from './backward.js';
import { distributionLossRow } from './distribution-loss.js';
import { divergenceRow } from './divergence.js';
import { logSumExpRow, type softmaxRow } from './forward.js';
import { crossEntropyRow, type RowLoss } from './loss.js';
import { jsPlainKernels } from './plain-kernels.js';
import { fill, isDouble, isKept, rangeOf, resultWriter, StagedRows } from './rows.js';
import { sampleRows } from './sampling/sample.js';
import { canonical, type Scaling, scalingOf, signOf } from './scaling.js';

const { NEGATIVE_INFINITY } = Number;

export const perRow = (value: number | Float64Array, row: number): number =>
  typeof value === 'number' ? value : (value[row] as number);

/** The scaling of each row; computed once where it is one for all. */
export function scalings(multiplier: Multipliers, double: boolean): (row: number) => Scaling {
  if (typeof multiplier !== 'number') return (row) => scalingOf(multiplier[row] as number, double);
  const scaling = scalingOf(multiplier, double);
  return () => scaling;
}

/** All rows have the sign of `scale`. What the mask drops is smaller than every logit. */
export function logitReader(logits: Elements, rows: ScaledRows): StagedRows {
  return new StagedRows(logits, rows, signOf(perRow(rows.multiplier, 0)) * NEGATIVE_INFINITY);
}

/** A kernel whose result has the rows of its input. What the mask drops is written as `dropped`. */
export function mapRows(row: typeof softmaxRow, dropped: number): UnaryRows {
  return (x, out, rows) => {
    const reader = logitReader(x, rows);
    const writer = new StagedRows(out, rows, dropped);
    const scaling = scalings(rows.multiplier, isDouble(x));
    const { begin, end } = rangeOf(rows);
    for (let r = begin; r < end; r++) {
      reader.read(r);
      writer.start(r);
      row(reader.values, reader.begin, rows.length, scaling(r), writer.values, writer.begin);
      writer.finish(r);
    }
  };
}

/** A kernel whose result has one element per row. `emptied`: that of rows without elements, or with none that the mask keeps. */
export function reduceRows(row: typeof logSumExpRow, emptied = NEGATIVE_INFINITY): UnaryRows {
  return (x, out, rows) => {
    const reader = logitReader(x, rows);
    const write = resultWriter(out);
    const scaling = scalings(rows.multiplier, isDouble(x));
    const { begin, end } = rangeOf(rows);
    for (let r = begin; r < end; r++) {
      reader.read(r);
      const isEmptied = emptied !== NEGATIVE_INFINITY && countKept(rows, r) === 0;
      write(r, isEmptied ? emptied : row(reader.values, reader.begin, rows.length, scaling(r)));
    }
  };
}

/** A kernel whose result has a matrix per row: of rows of the last axis, neither scaled nor masked. */
export function squareRows(row: typeof softmaxJacobianRow): UnaryRows {
  return (output, out, rows) => {
    const { length } = rows;
    const reader = new StagedRows(output, rows, 0);
    const isDoubles = isDouble(output);
    const writer = new StagedRows(out, { ...rows, length: length * length }, 0);
    const { begin, end } = rangeOf(rows);
    for (let r = begin; r < end; r++) {
      reader.read(r);
      writer.start(r);
      row(reader.values, reader.begin, length, isDoubles, writer.values, writer.begin);
      writer.finish(r);
    }
  };
}

/** A kernel from a gradient and an output. What the mask drops of the output reads as `droppedOutput`. */
export function mapPairs(row: typeof softmaxBackwardRow, droppedOutput: number): BinaryRows {
  return (gradOutput, output, out, rows) => {
    const gradReader = new StagedRows(gradOutput, rows, 0);
    const reader = new StagedRows(output, rows, droppedOutput);
    const writer = new StagedRows(out, rows, 0);
    const { begin, end } = rangeOf(rows);
    for (let r = begin; r < end; r++) {
      gradReader.read(r);
      reader.read(r);
      writer.start(r);
      const [g, y] = [gradReader, reader];
      const multiplier = perRow(rows.multiplier, r);
      row(g.values, g.begin, y.values, y.begin, rows.length, multiplier, writer.values, writer.begin);
      writer.finish(r);
    }
  };
}

export function countKept({ mask, length }: Rows, row: number): number {
  if (!mask) return length;
  let count = 0;
  for (let k = 0; k < length; k++) if (isKept(mask, row, k)) count++;
  return count;
}

export const jsKernels: Kernels = {
  sampling: { stepsOf: () => [sampleRows], isJs: () => true },
  plain: jsPlainKernels,
  plainNew: jsPlainKernels,
  unary: ({ js }) => js,
  binary: ({ js }) => js,
  arrays: ({ js }) => js,

  crossEntropy({ logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss }, rows) {
    const { length, mask } = rows;
    const reader = logitReader(logits, rows);
    const classes = target instanceof Int32Array ? target : undefined;
    const probabilities = target instanceof Int32Array ? undefined : new StagedRows(target, rows, 0);
    const writer = grad && new StagedRows(grad, rows, 0);
    const scaling = scalings(rows.multiplier, isDouble(logits));
    const isWide = grad !== undefined && isDouble(grad) && !isDouble(logits);
    const isSimple = classes !== undefined && labelSmoothing === 0 && !isWide;
    const { begin: first, end } = rangeOf(rows);
    for (let r = first; r < end; r++) {
      const index = classes ? (classes[r] as number) : -1;
      reader.read(r);
      probabilities?.read(r);
      writer?.start(r);
      const { values, begin } = reader;
      const rowWeight = isSimple && weight ? (weight[index] as number) : 1;
      const gradFactor = perRow(gradLoss, r) * rowWeight * perRow(rows.multiplier, r);
      let result: RowLoss;
      if (classes && index < 0) {
        result = { loss: 0, logSumExp: logSumExpRow(values, begin, length, scaling(r)) };
        if (writer) fill(writer.values, writer.begin, length, 0);
      } else if (isSimple) {
        const row = crossEntropyRow(values, begin, length, scaling(r), index, writer, gradFactor);
        const isEmptied = row.logSumExp === NEGATIVE_INFINITY && countKept(rows, r) === 0;
        // A class of weight 0 has no loss, even an infinite one.
        const hasLoss = !(isEmptied || (row.loss === Infinity && rowWeight === 0));
        result = { loss: hasLoss ? row.loss * rowWeight : 0, logSumExp: row.logSumExp };
      } else {
        const rowTarget = {
          probabilities: probabilities?.values,
          begin: probabilities?.begin ?? 0,
          index,
          weight,
          labelSmoothing,
          mask,
          row: r,
          keptCount: countKept(rows, r),
        };
        result = distributionLossRow(values, begin, length, scaling(r), rowTarget, writer, gradFactor);
      }
      writer?.finish(r);
      loss[r] = canonical(result.loss);
      logSumExp[r] = canonical(result.logSumExp);
    }
  },

  divergence({ student, teacher, divergence, grad, addend, gradLoss }, rows) {
    const studentReader = logitReader(student, rows);
    const teacherReader = logitReader(teacher, rows);
    const writer = grad && new StagedRows(grad, rows, 0);
    const addendReader = addend && new StagedRows({ data: addend, dtype: 'float64' }, rows, 0);
    const scaling = scalings(rows.multiplier, isDouble(student));
    const { begin, end } = rangeOf(rows);
    for (let r = begin; r < end; r++) {
      studentReader.read(r);
      teacherReader.read(r);
      addendReader?.read(r);
      writer?.start(r);
      const value = divergenceRow(
        studentReader,
        teacherReader,
        rows.length,
        scaling(r),
        countKept(rows, r) === 0,
        writer,
        addendReader,
        perRow(gradLoss, r) * perRow(rows.multiplier, r),
      );
      writer?.finish(r);
      divergence[r] = canonical(value);
    }
  },
};
