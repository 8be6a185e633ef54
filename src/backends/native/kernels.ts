// The native backend's kernels: the addon's one function behind the seam of kernels.ts.
//
// Numbers go through memory that the addon shares (exchange.ts). No user code runs between writing them and the call.

import {
  type ArrayRows,
  type BinaryRows,
  type Elements,
  type Kernels,
  type Multipliers,
  type PlainKernels,
  type ScaledRows,
  smallRows,
  type UnaryRows,
} from '../kernels.js';
import type { SampleProblem } from '../sampling.js';
import { dtypeBits, Exchange } from './exchange.js';
import { LoadError, reinstall } from './load-error.js';
import { plainTokens } from './plain-tokens.js';
import { nativeSampling, type SampleArrays } from './sampling.js';

type Data = Elements['data'] | Int32Array | Uint32Array | Uint8Array | undefined;

/** What the addon makes for one ISA. */
export interface NativeFunctions {
  /**
   * The operation that the exchange names: its arrays in the order of native/operations.h, then the mask, its offsets and
   * the multipliers. Missing ones are undefined. True if it has begun a job, else it has computed.
   */
  compute(...arrays: Data[]): boolean | undefined;
  /** struct Exchange of native/addon/arguments.h. */
  readonly exchange: ArrayBuffer;
  /** Floats in a vector: about how fast the kernels are. */
  readonly lanes: number;
  /** Once: what is called from the event loop when a job is over. */
  connect(onDone: (id: number, isCancelled: boolean) => void): void;
  /** A job skips what it has not begun. */
  cancel(id: number): void;
}

/** Kernels that can also begin a job. */
export interface NativeKernels extends Kernels {
  /** Lets one call of a kernel, which `call` makes and returns the value of, begin a job. Whether it did. */
  asJob(id: number, call: () => unknown): boolean;
}

type PlainUnary = (x: Float32Array, out: Float32Array, elements: number, length: number) => void;
type PlainBinary = (
  a: Float32Array,
  b: Float32Array,
  out: Float32Array,
  elements: number,
  length: number,
) => void;

const perRow = (value: Multipliers): Float64Array | undefined =>
  typeof value === 'object' ? value : undefined;

/** The bits of the mask, its offsets and the multipliers, which begin at argument `first`. */
const presentOptions = ({ mask, multiplier }: ScaledRows, first: number): number =>
  (mask ? 3 << first : 0) | (typeof multiplier === 'object' ? 4 << first : 0);

/** The kernels of one ISA. `operations`: the addon's names of them, by their numbers. */
export function nativeKernels(functions: NativeFunctions, operations: readonly string[]): NativeKernels {
  const { compute } = functions;
  const exchange = new Exchange(functions.exchange);

  const numberOf = (name: string): number => {
    const number = operations.indexOf(name);
    if (number >= 0) return number;
    throw new LoadError(`the native addon has no operation ${name}`, reinstall, true);
  };

  const unary = (name: string): UnaryRows => {
    const operation = numberOf(name);
    return (x, out, rows) => {
      const present = presentOptions(rows, 2);
      exchange.writeCall(operation, rows, dtypeBits(x.dtype, 0) | dtypeBits(out.dtype, 1));
      exchange.writePresent(present, false);
      if (present === 0) return compute(x.data, out.data);
      const { mask, multiplier } = rows;
      return compute(x.data, out.data, mask?.data, mask?.offsets, perRow(multiplier));
    };
  };

  const binary = (name: string): BinaryRows => {
    const operation = numberOf(name);
    return (a, b, out, rows) => {
      const present = presentOptions(rows, 3);
      const dtypes = dtypeBits(a.dtype, 0) | dtypeBits(b.dtype, 1) | dtypeBits(out.dtype, 2);
      exchange.writeCall(operation, rows, dtypes);
      exchange.writePresent(present, false);
      if (present === 0) return compute(a.data, b.data, out.data);
      const { mask, multiplier } = rows;
      return compute(a.data, b.data, out.data, mask?.data, mask?.offsets, perRow(multiplier));
    };
  };

  const ofArrays = (name: string): ArrayRows => {
    const operation = numberOf(name);
    return (arrays, [first, second], rows) => {
      let present = presentOptions(rows, arrays.length);
      let dtypes = 0;
      const data: Data[] = [];
      for (let i = 0; i < arrays.length; i++) {
        const elements = arrays[i];
        data.push(elements?.data);
        if (elements === undefined) continue;
        present |= 1 << i;
        dtypes |= dtypeBits(elements.dtype, i);
      }
      exchange.writeCall(operation, rows, dtypes);
      exchange.writeNumbers(first, second);
      exchange.writePresent(present, false);
      const { mask, multiplier } = rows;
      return compute(...data, mask?.data, mask?.offsets, perRow(multiplier));
    };
  };

  const plainUnary = (name: string): PlainUnary => {
    const operation = numberOf(name);
    return (x, out, elements, length) => {
      exchange.writePlainCall(operation, elements / length, length);
      compute(x, out);
    };
  };

  const plainBinary = (name: string): PlainBinary => {
    const operation = numberOf(name);
    return (a, b, out, elements, length) => {
      exchange.writePlainCall(operation, elements / length, length);
      compute(a, b, out);
    };
  };

  const crossEntropyNumber = numberOf('crossEntropy');
  const divergenceNumber = numberOf('divergence');

  const plain: PlainKernels = {
    softmax: plainUnary('softmax'),
    logSoftmax: plainUnary('logSoftmax'),
    softmaxBackward: plainBinary('softmaxBackward'),
    logSoftmaxBackward: plainBinary('logSoftmaxBackward'),
    batch: exchange.batch,
    crossEntropy(logits, grad, elements, length, gradLoss) {
      exchange.writePlainCall(crossEntropyNumber, elements / length, length);
      exchange.writeNumbers(gradLoss, 0);
      exchange.writePresent((1 << 1) | (1 << 4), true);
      compute(logits, grad);
    },
  };

  const blockSums = numberOf('blockSums');
  const sample = numberOf('sample');
  /** In arrays that sampling.ts makes. */
  const sampleNatively = (arrays: SampleArrays, { count, top }: SampleProblem, rows: ScaledRows) => {
    const { logits, settings, uniforms, tokens, kept, logProbs, rawLogProbs } = arrays;
    const { bias, allowed, edits, topTokens, topLogProbs } = arrays;
    const { outer, length, inner, mask } = rows;
    const dtypes = dtypeBits(logits.dtype, 0) | (bias ? dtypeBits(bias.dtype, 7) : 0);
    exchange.writeCall(sample, { outer, length, inner, mask, multiplier: 1 }, dtypes);
    exchange.writeNumbers(count, top);
    const results = (logProbs ? 1 << 5 : 0) | (rawLogProbs ? 1 << 6 : 0) | (topTokens ? 3 << 11 : 0);
    const changes = (bias ? 1 << 7 : 0) | (allowed ? 1 << 8 : 0) | (edits ? 3 << 9 : 0);
    exchange.writePresent(results | changes | (mask ? 3 << 13 : 0), false);
    return compute(
      logits.data,
      settings,
      uniforms,
      tokens,
      kept,
      logProbs,
      rawLogProbs,
      bias?.data,
      allowed,
      edits?.tokens,
      edits?.numbers,
      topTokens,
      topLogProbs,
      mask?.data,
      mask?.offsets,
    );
  };

  return {
    plain,
    plainNew: plain,
    plainTokens: plainTokens(functions, exchange, numberOf),
    sampling: nativeSampling(sampleNatively),

    blockSums(x, length, count, top) {
      exchange.writePlainCall(blockSums, 1, length);
      exchange.writeNumbers(count, top);
      exchange.writePresent(0, true);
      compute(x);
      return exchange.fields;
    },

    asJob(id, call) {
      exchange.job = id;
      try {
        return call() === true;
      } finally {
        exchange.job = 0;
      }
    },

    unary: ({ name }) => unary(name),
    binary: ({ name }) => binary(name),
    arrays: ({ name }) => ofArrays(name),

    crossEntropy(problem, rows) {
      const { logits, target, weight, labelSmoothing, loss, logSumExp, grad, gradLoss } = problem;
      const classes = target instanceof Int32Array ? target : undefined;
      const probabilities = target instanceof Int32Array ? undefined : target;
      const rowCount = rows.outer * rows.inner;
      const isSmall = rowCount <= smallRows && exchange.job === 0;
      const most =
        presentOptions(rows, 8) |
        (probabilities ? 1 << 5 : 0) |
        (weight ? 1 << 6 : 0) |
        (typeof gradLoss === 'number' ? 0 : 1 << 7);
      const present = most | (grad ? 1 << 1 : 0) | (classes ? 1 << 4 : 0);
      const dtypes =
        dtypeBits(logits.dtype, 0) |
        dtypeBits((grad ?? logits).dtype, 1) |
        dtypeBits((probabilities ?? logits).dtype, 5);
      exchange.writeCall(crossEntropyNumber, rows, dtypes);
      exchange.writeNumbers(typeof gradLoss === 'number' ? gradLoss : 1, labelSmoothing);
      exchange.writePresent(present, isSmall);
      if (isSmall && classes) exchange.writeClasses(classes, rowCount);
      if (isSmall && most === 0) {
        compute(logits.data, grad?.data);
        exchange.readResults(problem, rowCount);
        return undefined;
      }
      const isPosted = compute(
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
      const dtypes =
        dtypeBits(student.dtype, 0) | dtypeBits(teacher.dtype, 1) | dtypeBits((grad ?? student).dtype, 3);
      exchange.writeCall(divergenceNumber, rows, dtypes);
      exchange.writeNumbers(typeof gradLoss === 'number' ? gradLoss : 1, 0);
      const ofGradient =
        (grad ? 1 << 3 : 0) | (addend ? 1 << 4 : 0) | (typeof gradLoss === 'number' ? 0 : 1 << 5);
      exchange.writePresent(ofGradient | presentOptions(rows, 6), false);
      return compute(
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
