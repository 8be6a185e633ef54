// Random problems for the kernels: every dtype, layout, mask, multiplier and target, in and out of place.

import { halfFormats } from '../../src/backends/half.js';
import { tokenLogProbsRows } from '../../src/backends/js/tokens/token-log-probs.js';
import { topKRows } from '../../src/backends/js/tokens/top-k.js';
import type {
  DType,
  Elements,
  GradLoss,
  Kernels,
  RowMask,
  ScaledRows,
  UnaryRows,
} from '../../src/backends/kernels.js';
import type { Random } from './random.js';
import { rowKernelsOf, unaryOperations } from './row-kernels.js';

const dtypes: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16'];
const family = (dtype: DType): readonly DType[] =>
  dtype === 'float64' ? ['float64'] : ['float32', 'float16', 'bfloat16'];

export function elementsOf(dtype: DType, count: number, valueAt: (i: number) => number): Elements {
  if (dtype === 'float32') return { dtype, data: Float32Array.from({ length: count }, (_, i) => valueAt(i)) };
  if (dtype === 'float64') return { dtype, data: Float64Array.from({ length: count }, (_, i) => valueAt(i)) };
  const { fromNumber } = halfFormats[dtype];
  return { dtype, data: Uint16Array.from({ length: count }, (_, i) => fromNumber(Math.fround(valueAt(i)))) };
}

const copyOf = ({ data, dtype }: Elements): Elements => ({ data: data.slice(), dtype });
const specials = [
  Number.NEGATIVE_INFINITY,
  -1e9,
  -3.4e38,
  0,
  -0,
  1e-42,
  3.4e38,
  Number.POSITIVE_INFINITY,
  Number.NaN,
];

export interface Problem {
  readonly description: string;
  /** Runs the function and returns everything it wrote. */
  run(kernels: Kernels): readonly Elements['data'][];
}

export class Problems {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.#random.uniform(0, values.length))] as Value;
  }
  #chance(probability: number): boolean {
    return this.#random.uniform(0, 1) < probability;
  }

  /** Logits of one scale; one array in four has special values, most of them −Infinity. */
  #logits(dtype: DType, count: number): Elements {
    const scale = this.#pick([1, 10, 60, 400, 5000, 1e6, 1e30, 3e38, 0]);
    const hasSpecials = this.#chance(0.25);
    const some = this.#pick([specials, specials.slice(0, 6), [Number.NEGATIVE_INFINITY]]);
    return elementsOf(dtype, count, () =>
      hasSpecials && this.#chance(0.1) ? this.#pick(some) : this.#random.uniform(-scale, scale),
    );
  }

  #gradLoss(rows: number): GradLoss {
    if (this.#chance(0.7)) return this.#pick([1, -0.3, 1e-30, 0, 3e38, 1e308]);
    return Float64Array.from({ length: rows }, () => this.#random.uniform(-2, 2));
  }

  #mask(outer: number, length: number, inner: number): RowMask | undefined {
    if (this.#chance(0.6)) return undefined;
    const rows = outer * inner;
    const [kept, byRow, byElement] = [this.#pick([0, 0.1, 0.9, 1]), this.#chance(0.6), this.#chance(0.8)];
    // The mask's own axes: [outer, length, inner], each of that size or 1.
    const [o, k, i] = [byRow ? outer : 1, byElement ? length : 1, this.#chance(0.5) ? inner : 1];
    const data = Uint8Array.from({ length: o * k * i + 3 }, () =>
      this.#chance(kept) ? this.#pick([1, 255]) : 0,
    );
    const offsets = Float64Array.from({ length: rows }, (_, row) => {
      const [at, rest] = [Math.floor(row / inner), row % inner];
      return (o === 1 ? 0 : at * k * i) + (i === 1 ? 0 : rest);
    });
    return { data, offsets, step: k === 1 ? 0 : i };
  }

  next(lengths: readonly number[]): Problem {
    const dtype = this.#pick(dtypes);
    const others = family(dtype);
    const length = this.#pick(lengths);
    // Many short rows are transposed, and many columns staged in blocks.
    const outer = this.#pick(length > 300 ? [1, 1, 2, 3] : [1, 2, 3, 8, 16, 21, 50, 70, 150]);
    const widths = outer > 3 ? [1, 1, 1, 2] : [1, 1, 2, 5, 16, 19, 33, 70, 150];
    const inner = this.#pick(length > 1000 ? [1, 2] : widths);
    const count = outer * length * inner;
    const rowCount = outer * inner;
    const one = () => this.#pick([1, 1, 1 / 0.7, 0.125, 1e-4, 1e-30, 1e-37, 1e-300, 0, 3e5]);
    const sign = this.#chance(0.8) ? 1 : -1;
    const isLimit = this.#chance(0.05);
    const multiplier = isLimit
      ? sign * Number.POSITIVE_INFINITY
      : this.#chance(0.8)
        ? sign * one()
        : Float64Array.from({ length: rowCount }, () => sign * one());
    const rows: ScaledRows = { outer, length, inner, mask: this.#mask(outer, length, inner), multiplier };
    // The Jacobian, of rows of the last axis alone, has a test of its own.
    const unary = unaryOperations.filter(
      ({ result, hasLimits }) => result !== 'square' && (hasLimits || !isLimit),
    );
    const more = isLimit ? [] : ['backward', 'crossEntropy', 'crossEntropy', 'divergence'];
    const kind = this.#pick([
      ...unary.map(({ name }) => name),
      'topK',
      ...more,
      ...(isLimit || length === 0 ? [] : ['tokenLogProbs']),
    ]);
    const x = this.#logits(dtype, count);
    const isInPlace = this.#chance(0.3);
    const outDType = isInPlace ? dtype : this.#pick(others);
    const described =
      `${kind}, ${dtype} to ${outDType}, ${outer} x ${length} x ${inner}, ` +
      `multiplier ${typeof multiplier === 'number' ? multiplier : 'by row'}, ` +
      `${rows.mask ? `mask step ${rows.mask.step}` : 'no mask'}${isInPlace ? ', in place' : ''}`;
    // What an output holds before must not matter.
    const outputOf = (n: number) => elementsOf(outDType, n, () => 7);
    const pair = (): [Elements, Elements] => {
      const input = copyOf(x);
      return [input, isInPlace ? input : outputOf(count)];
    };
    const newResults = (): Float32Array | Float64Array =>
      dtype === 'float64' ? new Float64Array(rowCount) : new Float32Array(rowCount);

    const operation = unary.find(({ name }) => name === kind);
    if (operation !== undefined) {
      const ofRow = (): Elements =>
        operation.holds
          ? { dtype: operation.holds, data: new Int32Array(rowCount).fill(7) }
          : outputOf(rowCount);
      return {
        description: described,
        run: (kernels) => {
          const [input, out] = operation.result === 'row' ? [x, ofRow()] : pair();
          (rowKernelsOf(kernels)[kind] as UnaryRows)(input, out, rows);
          return [out.data];
        },
      };
    }
    if (kind === 'topK') {
      const k = Math.floor(this.#random.uniform(0, Math.min(length, this.#pick([2, 70, 20_000])) + 1));
      const which = this.#pick([0, 1, 2]);
      return {
        description: `${described}, k ${k}, values ${which}`,
        run: (kernels) => {
          const values = outputOf(k * rowCount);
          const indices: Elements = { dtype: 'int32', data: new Int32Array(k * rowCount).fill(7) };
          kernels.arrays({ name: 'topK', js: topKRows })([x, values, indices], [k, which], rows);
          return [values.data, indices.data];
        },
      };
    }
    if (kind === 'tokenLogProbs') {
      const count = this.#pick([1, 2, 70]);
      const top = Math.floor(this.#random.uniform(0, Math.min(length, this.#pick([1, 2, 70, 20_000])) + 1));
      const tokens = Int32Array.from({ length: count * rowCount }, () =>
        Math.floor(this.#random.uniform(0, length)),
      );
      return {
        description: `${described}, ${count} tokens, top ${top}`,
        run: (kernels) => {
          const integers = (n: number): Elements => ({ dtype: 'int32', data: new Int32Array(n).fill(7) });
          const results = [
            ...[outputOf(count * rowCount), integers(count * rowCount), outputOf(rowCount)],
            ...(top === 0 ? [] : [outputOf(top * rowCount), integers(top * rowCount)]),
          ];
          const kernel = kernels.arrays({ name: 'tokenLogProbs', js: tokenLogProbsRows });
          const given: Elements = { data: tokens, dtype: 'int32' };
          const arrays = [x, given, ...results, ...(top === 0 ? [undefined, undefined] : [])];
          kernel(arrays, [count, top], rows);
          return results.map(({ data }) => data);
        },
      };
    }
    if (kind === 'backward') {
      const y = elementsOf(this.#pick(others), count, () => this.#random.uniform(-3, 1));
      return {
        description: described,
        run: (kernels) =>
          (['softmaxBackward', 'logSoftmaxBackward'] as const).map((name) => {
            const [g, out] = pair();
            rowKernelsOf(kernels)[name](g, y, out, rows);
            return out.data;
          }),
      };
    }
    const gradLoss = this.#gradLoss(rowCount);
    if (kind === 'divergence') {
      const teacher = this.#logits(this.#pick(others), count);
      const addend = this.#chance(0.5) ? this.#logits('float64', count) : undefined;
      return {
        description: described,
        run: (kernels) => {
          const [student, grad] = pair();
          const divergence = new Float64Array(rowCount);
          const more = addend?.data as Float64Array | undefined;
          kernels.divergence({ student, teacher, divergence, grad, addend: more, gradLoss }, rows);
          return [divergence, grad.data];
        },
      };
    }
    const isIndex = length > 0 && this.#chance(0.6);
    const target = isIndex
      ? Int32Array.from({ length: rowCount }, () =>
          this.#chance(0.15) ? -1 : Math.floor(this.#random.uniform(0, length)),
        )
      : elementsOf(this.#pick(others), count, () => Math.max(0, this.#random.uniform(-0.5, 1)));
    const weight = this.#chance(0.4)
      ? Float64Array.from({ length }, () => this.#pick([0, 0.5, 1.75, 1]))
      : undefined;
    const labelSmoothing = this.#chance(0.4) ? this.#pick([0.1, 0.5, 1]) : 0;
    const wantsGrad = this.#chance(0.8);
    const isWide = !isInPlace && this.#chance(0.2);
    return {
      description: `${described}, ${isIndex ? 'index' : 'probabilities'}, smoothing ${labelSmoothing}${weight ? ', weights' : ''}${isWide ? ', gradient in float64' : ''}`,
      run: (kernels) => {
        const [logits, ofLogitsFamily] = pair();
        const grad = isWide ? elementsOf('float64', count, () => 7) : ofLogitsFamily;
        const [loss, logSumExp] = [new Float64Array(rowCount), newResults()];
        kernels.crossEntropy(
          {
            logits,
            target,
            weight,
            labelSmoothing,
            loss,
            logSumExp,
            grad: wantsGrad ? grad : undefined,
            gradLoss,
          },
          rows,
        );
        return wantsGrad ? [loss, logSumExp, grad.data] : [loss, logSumExp];
      },
    };
  }
}

/** The index of the first array, and in it of the first element, whose bits differ; undefined if none. */
export function firstDifference(
  a: readonly Elements['data'][],
  b: readonly Elements['data'][],
): string | undefined {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as Elements['data'], b[i] as Elements['data']];
    const bytes = (array: Elements['data']) =>
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    const [p, q] = [bytes(x), bytes(y)];
    for (let k = 0; k < p.length; k++) {
      if (p[k] === q[k]) continue;
      const at = Math.floor(k / x.BYTES_PER_ELEMENT);
      return `output ${i}[${at}]: ${x[at]} and ${y[at]}`;
    }
  }
  return undefined;
}
