// float64 references, written from the definitions, and how far a float32 result is from one.
// `multiplier` is scale / temperature throughout. Math.exp and Math.log are good to about 2^-52, float32 to 2^-24.

type Numbers = ArrayLike<number>;

const at = (values: Numbers, index: number): number => values[index] as number;

/** The logit with the largest product, unrounded. */
function topOf(logits: Numbers, multiplier: number): number {
  let top = at(logits, 0);
  for (let i = 1; i < logits.length; i++)
    if (multiplier < 0 ? at(logits, i) < top : at(logits, i) > top) top = at(logits, i);
  return top;
}

/** exp(z − max z). The logits are subtracted before they are multiplied: huge ones cancel exactly that way. */
function exponentials(logits: Numbers, multiplier: number): Float64Array {
  const top = topOf(logits, multiplier);
  return Float64Array.from({ length: logits.length }, (_, i) => Math.exp((at(logits, i) - top) * multiplier));
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

export function referenceSoftmax(logits: Numbers, multiplier = 1): Float64Array {
  const e = exponentials(logits, multiplier);
  const sum = sumOf(e);
  return e.map((value) => value / sum);
}

export function referenceLogSumExp(logits: Numbers, multiplier = 1): number {
  return topOf(logits, multiplier) * multiplier + Math.log(sumOf(exponentials(logits, multiplier)));
}

export function referenceLogSoftmax(logits: Numbers, multiplier = 1): Float64Array {
  const top = topOf(logits, multiplier);
  const logSum = Math.log(sumOf(exponentials(logits, multiplier)));
  return Float64Array.from({ length: logits.length }, (_, i) => (at(logits, i) - top) * multiplier - logSum);
}

/** p_i (g_i − Σ g p) · multiplier. */
export function referenceSoftmaxBackward(gradOutput: Numbers, output: Numbers, multiplier = 1): Float64Array {
  let dot = 0;
  for (let i = 0; i < output.length; i++) dot += at(gradOutput, i) * at(output, i);
  return Float64Array.from(
    { length: output.length },
    (_, i) => at(output, i) * (at(gradOutput, i) - dot) * multiplier,
  );
}

/** (g_i − exp(y_i) Σ g) · multiplier. */
export function referenceLogSoftmaxBackward(
  gradOutput: Numbers,
  output: Numbers,
  multiplier = 1,
): Float64Array {
  let sum = 0;
  for (let i = 0; i < gradOutput.length; i++) sum += at(gradOutput, i);
  return Float64Array.from(
    { length: output.length },
    (_, i) => (at(gradOutput, i) - Math.exp(at(output, i)) * sum) * multiplier,
  );
}

/** diag(p) − p pᵀ. */
export function referenceJacobian(output: Numbers): Float64Array {
  const length = output.length;
  return Float64Array.from({ length: length * length }, (_, index) => {
    const i = Math.floor(index / length);
    const j = index % length;
    return at(output, i) * ((i === j ? 1 : 0) - at(output, j));
  });
}

/** Σ_{j ≠ y} exp(z_j − z_y), and the largest exponent in it. */
function othersOf(logits: Numbers, target: number, multiplier: number): { sum: number; largest: number } {
  let sum = 0;
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < logits.length; j++) {
    if (j === target) continue;
    const exponent = (at(logits, j) - at(logits, target)) * multiplier;
    largest = Math.max(largest, exponent);
    sum += Math.exp(exponent);
  }
  return { sum, largest };
}

/** log(1 + Σ_{j ≠ y} exp(z_j − z_y)): nothing cancels as p_y → 1. */
export function referenceLoss(logits: Numbers, target: number, multiplier = 1): number {
  const others = othersOf(logits, target, multiplier);
  if (others.largest < 700) return Math.log1p(others.sum);
  return -(referenceLogSoftmax(logits, multiplier)[target] as number);
}

/** (p_c − [c = y]) · multiplier, with p_y − 1 as −others / (1 + others). */
export function referenceLossGradient(logits: Numbers, target: number, multiplier = 1): Float64Array {
  const gradient = referenceSoftmax(logits, multiplier).map((p) => p * multiplier);
  const { sum } = othersOf(logits, target, multiplier);
  gradient[target] = -(sum === Number.POSITIVE_INFINITY ? 1 : sum / (1 + sum)) * multiplier;
  return gradient;
}

/** The distance of float32 numbers around `exact`: that of its binade, 2^−149 for everything below 2^−126. */
export function ulpOf(exact: number): number {
  const magnitude = Math.abs(exact);
  let exponent = magnitude > 0 ? Math.floor(Math.log2(magnitude)) : -126;
  // Math.log2 may round up to the next integer, or down from it.
  if (2 ** exponent > magnitude) exponent--;
  if (2 ** (exponent + 1) <= magnitude) exponent++;
  return 2 ** (Math.max(exponent, -126) - 23);
}

/** How many ULP of the exact value the actual one is off. Infinite if only one is NaN, or infinite. */
export function ulpError(actual: number, exact: number): number {
  if (Object.is(actual, exact) || actual === exact) return 0;
  const error = Math.abs(actual - exact) / ulpOf(exact);
  return Number.isFinite(error) ? error : Number.POSITIVE_INFINITY;
}

export function relativeError(actual: number, exact: number): number {
  return actual === exact ? 0 : Math.abs(actual - exact) / Math.abs(exact);
}

/** The largest finite |logit · multiplier| of a row. */
export function largestMagnitude(logits: Numbers, multiplier = 1): number {
  let largest = 0;
  for (let i = 0; i < logits.length; i++) {
    const magnitude = Math.abs(at(logits, i) * multiplier);
    if (magnitude > largest && magnitude < Number.POSITIVE_INFINITY) largest = magnitude;
  }
  return largest;
}

/** What log-softmax, log-sum-exp and losses may be off: 4 ULP, or 1 ULP of the row's largest |logit|. */
export function logTolerance(exact: number, largestLogit: number): number {
  return Math.max(4 * ulpOf(exact), ulpOf(largestLogit));
}

/** The largest of many errors and where it was: one assertion for many numbers. NaN counts as the largest. */
export class Worst {
  error = 0;
  label = '';

  note(error: number, label: string): void {
    if (error <= this.error || Number.isNaN(this.error)) return;
    this.error = error;
    this.label = label;
  }
}

const hexadecimal = (bits: number): string => `0x${bits.toString(16).padStart(8, '0')}`;

/** The bits of float32 numbers, NaNs unchanged: copied as bytes. */
export function bitsOf(values: Float32Array): Uint32Array {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Uint32Array(Uint8Array.from(bytes).buffer);
}

/** Where two arrays first differ in a bit; undefined if nowhere. */
export function firstDifference(actual: Float32Array, expected: Float32Array): string | undefined {
  if (actual.length !== expected.length) return `length ${actual.length} instead of ${expected.length}`;
  const a = bitsOf(actual);
  const b = bitsOf(expected);
  const index = a.findIndex((bits, i) => bits !== b[i]);
  if (index < 0) return undefined;
  const [got, wanted] = [a[index] as number, b[index] as number];
  return `[${index}] is ${actual[index]} (${hexadecimal(got)}), not ${expected[index]} (${hexadecimal(wanted)})`;
}
