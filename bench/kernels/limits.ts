// What a kernel has to do for one vector, where everything is in the first cache and nothing waits: the operations that
// native/kernels/ has in its loops, counted by hand.

/** Operations per vector of float lanes; double lanes are two vectors. */
interface Operations {
  /** Products and fused multiply-adds. */
  readonly multiply: number;
  /** Sums, differences and conversions between float and double. */
  readonly add: number;
  /** Comparisons, maxima, shifts, masks, shuffles. */
  readonly other: number;
  readonly load: number;
  readonly store: number;
}

const exp: Operations = { multiply: 7, add: 1, other: 4, load: 1, store: 0 }; // exp.h; AVX2: three more for the table
const expDouble: Operations = { multiply: 22, add: 24, other: 10, load: 0, store: 0 }; // exp_double.h, twice
const sum: Operations = { multiply: 0, add: 2.5, other: 0.5, load: 0, store: 0 }; // tree.h: two added, widened, added

const plus = (...parts: readonly Partial<Operations>[]): Operations => {
  const total = { multiply: 0, add: 0, other: 0, load: 0, store: 0 };
  for (const part of parts)
    for (const key of Object.keys(total) as (keyof Operations)[]) total[key] += part[key] ?? 0;
  return total;
};

/** By the names of kernels_bench, float32: maximum, exponentials and their sum, results. */
export const operations: Readonly<Record<string, Operations>> = {
  softmax: plus({ other: 1, load: 1 }, exp, sum, { store: 1 }, { multiply: 2, load: 1, store: 1 }),
  logSoftmax: plus({ other: 1, load: 1 }, exp, sum, { add: 2, load: 1, store: 1 }),
  logSumExp: plus({ other: 1, load: 1 }, exp, sum),
  softmaxBackward: plus({ multiply: 2, add: 5, load: 4 }, { multiply: 1, add: 2, load: 2, store: 1 }),
  logSoftmaxBackward: plus({ add: 4, load: 2 }, expDouble, {
    multiply: 4,
    add: 8,
    other: 1,
    load: 4,
    store: 1,
  }),
  crossEntropy: plus({ other: 1, load: 1 }, exp, sum, { store: 1 }, { multiply: 2, load: 1, store: 1 }),
};

/** Cycles per vector where two units multiply, two add, any four do the rest, two load and one stores (Zen 4, Zen 5). */
export function bound({ multiply, add, other, load, store }: Operations): number {
  return Math.max(multiply / 2, add / 2, (multiply + add + other) / 4, load / 2, store);
}

/** Float lanes of a vector. */
export const lanes: Readonly<Record<string, number>> = { avx512: 16, avx2: 8 };
