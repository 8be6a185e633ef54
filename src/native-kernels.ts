// The native backend's kernels: the addon's functions behind the seam of kernels.ts.
//
// Numbers go through one private array, arrays as arguments: a call reads the numbers by one Node-API call where
// arguments of their own would cost one each. Nothing of a caller runs between writing them and the call.

import type { DType, Elements, Kernels, Multipliers, ScaledRows } from './kernels.js';

type Data = Elements['data'] | Int32Array | Uint8Array | undefined;

/** A function of the addon: the numbers, then the arrays in the order of native/addon/addon.cc. */
type NativeFunction = (numbers: Float64Array, ...arrays: Data[]) => void;

/** What the addon makes for one ISA. */
export type NativeFunctions = { readonly [Name in keyof Kernels]: NativeFunction };

/** native/kernels/table.h has the same numbers. */
const dtypeNumbers: Readonly<Record<DType, number>> = { float32: 0, float64: 1, float16: 2, bfloat16: 3 };

/** Where native/addon/addon.cc reads them. */
const numbers = new Float64Array(10);

function writeRows({ outer, length, inner }: Pick<ScaledRows, 'outer' | 'length' | 'inner'>): void {
  numbers[0] = outer;
  numbers[1] = length;
  numbers[2] = inner;
}

function writeOptions(rows: ScaledRows): void {
  writeRows(rows);
  numbers[3] = rows.mask ? rows.mask.step : 0;
  numbers[4] = typeof rows.multiplier === 'number' ? rows.multiplier : 1;
}

function writeDTypes(a: Elements, b?: Elements | undefined, c?: Elements | undefined): void {
  numbers[5] = dtypeNumbers[a.dtype];
  numbers[6] = b ? dtypeNumbers[b.dtype] : 0;
  numbers[7] = c ? dtypeNumbers[c.dtype] : 0;
}

const perRow = (value: Multipliers): Float64Array | undefined =>
  typeof value === 'number' ? undefined : value;

function rowFunction(call: NativeFunction): Kernels['softmax'] {
  return (x, out, rows) => {
    writeOptions(rows);
    writeDTypes(x, out);
    const { mask, multiplier } = rows;
    if (mask === undefined && typeof multiplier === 'number') call(numbers, x.data, out.data);
    else call(numbers, x.data, out.data, mask?.data, mask?.offsets, perRow(multiplier));
  };
}

function pairFunction(call: NativeFunction): Kernels['softmaxBackward'] {
  return (gradOutput, output, out, rows) => {
    writeOptions(rows);
    writeDTypes(gradOutput, output, out);
    const { mask, multiplier } = rows;
    const arrays = [mask?.data, mask?.offsets, perRow(multiplier)];
    call(numbers, gradOutput.data, output.data, out.data, ...arrays);
  };
}

export function nativeKernels(functions: NativeFunctions): Kernels {
  return {
    softmax: rowFunction(functions.softmax),
    logSoftmax: rowFunction(functions.logSoftmax),
    logSumExp: rowFunction(functions.logSumExp),
    softmaxBackward: pairFunction(functions.softmaxBackward),
    logSoftmaxBackward: pairFunction(functions.logSoftmaxBackward),

    softmaxJacobian(output, out, rows, length) {
      writeRows({ outer: rows, length, inner: 1 });
      writeDTypes(output, out);
      functions.softmaxJacobian(numbers, output.data, out.data);
    },

    crossEntropy({ logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss }, rows) {
      const classes = target instanceof Int32Array ? target : undefined;
      const probabilities = target instanceof Int32Array ? undefined : target;
      writeOptions(rows);
      writeDTypes(logits, probabilities, grad);
      numbers[8] = typeof gradLoss === 'number' ? gradLoss : 1;
      numbers[9] = labelSmoothing;
      functions.crossEntropy(
        numbers,
        logits.data,
        loss,
        logSumExp,
        rows.mask?.data,
        rows.mask?.offsets,
        perRow(rows.multiplier),
        classes,
        probabilities?.data,
        weight,
        grad?.data,
        perRow(gradLoss),
      );
    },

    divergence({ student, teacher, divergence, grad, addend, gradLoss }, rows) {
      writeOptions(rows);
      writeDTypes(student, teacher, grad);
      numbers[8] = typeof gradLoss === 'number' ? gradLoss : 1;
      functions.divergence(
        numbers,
        student.data,
        teacher.data,
        divergence,
        rows.mask?.data,
        rows.mask?.offsets,
        perRow(rows.multiplier),
        grad?.data,
        addend,
        perRow(gradLoss),
      );
    },
  };
}
