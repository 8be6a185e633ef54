// The native backend's kernels: the addon's functions behind the seam of kernels.ts.
//
// Numbers go through memory that the addon shares (native-exchange.ts). Nothing of a caller runs between writing them and
// the call.
// No two functions share a line that calls the addon: an engine makes a direct call of one that only ever has one
// target.

import {
  type BinaryRows,
  type Elements,
  type Kernels,
  type Multipliers,
  type PlainKernels,
  type ScaledRows,
  smallRows,
  type UnaryRows,
} from '../kernels.js';
import { Exchange } from './exchange.js';

type Data = Elements['data'] | Int32Array | Uint8Array | undefined;

/**
 * A function of the addon: arrays in the order of native/addon/addon.cc. Missing ones are undefined. True if it has
 * begun a job, else it has computed.
 */
type NativeFunction = (...arrays: Data[]) => boolean | undefined;

/** What the addon makes for one ISA. */
type FunctionName =
  | 'softmax'
  | 'logSoftmax'
  | 'logSumExp'
  | 'softmaxBackward'
  | 'logSoftmaxBackward'
  | 'softmaxJacobian'
  | 'crossEntropy'
  | 'divergence';
export type NativeFunctions = { readonly [Name in FunctionName]: NativeFunction } & {
  /** struct Exchange of native/addon/arguments.h. */
  readonly exchange: ArrayBuffer;
  /** Floats in a vector: about how fast the kernels are. */
  readonly lanes: number;
  /** Once: what is called from the event loop when a job is over. */
  connect(onDone: (id: number, isCancelled: boolean) => void): void;
  /** A job skips what it has not begun. */
  cancel(id: number): void;
};

/** Kernels that can also begin a job. */
export interface NativeKernels extends Kernels {
  /** Lets one call of a kernel, which `call` makes and returns the value of, begin a job. Whether it did. */
  asJob(id: number, call: () => unknown): boolean;
}

const perRow = (value: Multipliers): Float64Array | undefined =>
  typeof value === 'number' ? undefined : value;

/** The bits of the mask, its offsets and the multipliers, which begin at argument `first`. */
const presentOptions = ({ mask, multiplier }: ScaledRows, first: number): number =>
  (mask ? 3 << first : 0) | (typeof multiplier === 'number' ? 0 : 4 << first);

export function nativeKernels(functions: NativeFunctions): NativeKernels {
  const exchange = new Exchange(functions.exchange);

  /** Writes what one array of rows that becomes another has beside the two. Whether it has more arrays. */
  const writeRowCall = (x: Elements, out: Elements, rows: ScaledRows): boolean => {
    const present = presentOptions(rows, 2);
    exchange.writeScaledRows(rows);
    exchange.writeDTypes(x.dtype, out.dtype, out.dtype);
    exchange.writePresent(present, false);
    return present !== 0;
  };
  const writePairCall = (
    gradOutput: Elements,
    output: Elements,
    out: Elements,
    rows: ScaledRows,
  ): boolean => {
    const present = presentOptions(rows, 3);
    exchange.writeScaledRows(rows);
    exchange.writeDTypes(gradOutput.dtype, output.dtype, out.dtype);
    exchange.writePresent(present, false);
    return present !== 0;
  };

  const plain: PlainKernels = {
    softmax(x, out, elements, length) {
      exchange.writePlainRows(elements / length, length);
      functions.softmax(x, out);
    },
    logSoftmax(x, out, elements, length) {
      exchange.writePlainRows(elements / length, length);
      functions.logSoftmax(x, out);
    },
    softmaxBackward(gradOutput, output, out, elements, length) {
      exchange.writePlainRows(elements / length, length);
      functions.softmaxBackward(gradOutput, output, out);
    },
    logSoftmaxBackward(gradOutput, output, out, elements, length) {
      exchange.writePlainRows(elements / length, length);
      functions.logSoftmaxBackward(gradOutput, output, out);
    },
    batch: exchange.batch,
    crossEntropy(logits, grad, elements, length, gradLoss) {
      exchange.writePlainRows(elements / length, length);
      exchange.writeGradLoss(gradLoss, 0);
      exchange.writePresent(1 << 1, true);
      functions.crossEntropy(logits, grad);
    },
  };

  const rowKernels: Record<string, unknown> = {
    softmax(x: Elements, out: Elements, rows: ScaledRows) {
      const { mask, multiplier } = rows;
      return writeRowCall(x, out, rows)
        ? functions.softmax(x.data, out.data, mask?.data, mask?.offsets, perRow(multiplier))
        : functions.softmax(x.data, out.data);
    },

    logSoftmax(x: Elements, out: Elements, rows: ScaledRows) {
      const { mask, multiplier } = rows;
      return writeRowCall(x, out, rows)
        ? functions.logSoftmax(x.data, out.data, mask?.data, mask?.offsets, perRow(multiplier))
        : functions.logSoftmax(x.data, out.data);
    },

    logSumExp(x: Elements, out: Elements, rows: ScaledRows) {
      const { mask, multiplier } = rows;
      return writeRowCall(x, out, rows)
        ? functions.logSumExp(x.data, out.data, mask?.data, mask?.offsets, perRow(multiplier))
        : functions.logSumExp(x.data, out.data);
    },

    softmaxBackward(gradOutput: Elements, output: Elements, out: Elements, rows: ScaledRows) {
      const { mask, multiplier } = rows;
      const { data } = gradOutput;
      return writePairCall(gradOutput, output, out, rows)
        ? functions.softmaxBackward(
            data,
            output.data,
            out.data,
            mask?.data,
            mask?.offsets,
            perRow(multiplier),
          )
        : functions.softmaxBackward(data, output.data, out.data);
    },

    logSoftmaxBackward(gradOutput: Elements, output: Elements, out: Elements, rows: ScaledRows) {
      const { mask, multiplier } = rows;
      const { data } = gradOutput;
      return writePairCall(gradOutput, output, out, rows)
        ? functions.logSoftmaxBackward(
            data,
            output.data,
            out.data,
            mask?.data,
            mask?.offsets,
            perRow(multiplier),
          )
        : functions.logSoftmaxBackward(data, output.data, out.data);
    },

    softmaxJacobian(output: Elements, out: Elements, { outer, length }: ScaledRows) {
      exchange.writeRows(outer, length, 1);
      exchange.writeDTypes(output.dtype, out.dtype, out.dtype);
      exchange.writePresent(0, false);
      return functions.softmaxJacobian(output.data, out.data);
    },
  };

  return {
    plain,
    unary: ({ name }) => rowKernels[name] as UnaryRows,
    binary: ({ name }) => rowKernels[name] as BinaryRows,

    asJob(id, call) {
      exchange.job = id;
      try {
        return call() === true;
      } finally {
        exchange.job = 0;
      }
    },

    crossEntropy(problem, rows) {
      const { logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss } = problem;
      const classes = target instanceof Int32Array ? target : undefined;
      const probabilities = target instanceof Int32Array ? undefined : target;
      const rowCount = rows.outer * rows.inner;
      const isSmall = rowCount <= smallRows && exchange.job === 0;
      const options = presentOptions(rows, 8);
      const most =
        options |
        (probabilities ? 1 << 5 : 0) |
        (weight ? 1 << 6 : 0) |
        (typeof gradLoss === 'number' ? 0 : 1 << 7);
      const present = most | (grad ? 1 << 1 : 0) | (isSmall || !classes ? 0 : 1 << 4);
      exchange.writeScaledRows(rows);
      exchange.writeDTypes(logits.dtype, (probabilities ?? logits).dtype, (grad ?? logits).dtype);
      exchange.writeGradLoss(gradLoss, labelSmoothing);
      exchange.writePresent(present, isSmall);
      if (isSmall && classes) exchange.writeClasses(classes, rowCount);
      if (isSmall && most === 0) {
        functions.crossEntropy(logits.data, grad?.data);
        exchange.readResults(problem, rowCount);
        return undefined;
      }
      const isPosted = functions.crossEntropy(
        logits.data,
        grad?.data,
        isSmall ? undefined : loss,
        isSmall ? undefined : logSumExp,
        isSmall ? undefined : classes,
        probabilities?.data,
        weight,
        perRow(gradLoss),
        rows.mask?.data,
        rows.mask?.offsets,
        perRow(rows.multiplier),
      );
      if (isSmall) exchange.readResults(problem, rowCount);
      return isPosted;
    },

    divergence({ student, teacher, divergence, grad, addend, gradLoss }, rows) {
      exchange.writeScaledRows(rows);
      exchange.writeDTypes(student.dtype, teacher.dtype, (grad ?? student).dtype);
      exchange.writeGradLoss(gradLoss, 0);
      const ofGradient =
        (grad ? 1 << 3 : 0) | (addend ? 1 << 4 : 0) | (typeof gradLoss === 'number' ? 0 : 1 << 5);
      exchange.writePresent(ofGradient | presentOptions(rows, 6), false);
      return functions.divergence(
        student.data,
        teacher.data,
        divergence,
        grad?.data,
        addend,
        perRow(gradLoss),
        rows.mask?.data,
        rows.mask?.offsets,
        perRow(rows.multiplier),
      );
    },
  };
}
