// What people write by hand: the loops every contestant is compared with. A row's elements are `step` apart.

export type Numbers = Float32Array | Float64Array;

/** Where the rows are. */
export interface Rows {
  readonly rows: number;
  readonly classes: number;
  /** From one element of a row to the next, and from one row to the next. */
  readonly step: number;
  readonly rowStep: number;
}

export function plainSoftmax(logits: Numbers, out: Numbers, { rows, classes, step, rowStep }: Rows): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStep;
    const end = begin + classes * step;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = begin; i < end; i += step) if ((logits[i] as number) > max) max = logits[i] as number;
    let sum = 0;
    for (let i = begin; i < end; i += step) {
      const e = Math.exp((logits[i] as number) - max);
      out[i] = e;
      sum += e;
    }
    for (let i = begin; i < end; i += step) out[i] = (out[i] as number) / sum;
  }
}

export function plainLogSoftmax(logits: Numbers, out: Numbers, { rows, classes, step, rowStep }: Rows): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStep;
    const end = begin + classes * step;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = begin; i < end; i += step) if ((logits[i] as number) > max) max = logits[i] as number;
    let sum = 0;
    for (let i = begin; i < end; i += step) sum += Math.exp((logits[i] as number) - max);
    const logSum = max + Math.log(sum);
    for (let i = begin; i < end; i += step) out[i] = (logits[i] as number) - logSum;
  }
}

export function plainSoftmaxBackward(
  gradOutput: Numbers,
  output: Numbers,
  out: Numbers,
  { rows, classes, step, rowStep }: Rows,
): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStep;
    const end = begin + classes * step;
    let dot = 0;
    for (let i = begin; i < end; i += step) dot += (gradOutput[i] as number) * (output[i] as number);
    for (let i = begin; i < end; i += step)
      out[i] = (output[i] as number) * ((gradOutput[i] as number) - dot);
  }
}

/** Mean loss, gradient in `grad`. */
export function plainCrossEntropy(logits: Numbers, target: Int32Array, grad: Numbers, where: Rows): number {
  const { rows, classes, step, rowStep } = where;
  plainSoftmax(logits, grad, where);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const begin = row * rowStep;
    const end = begin + classes * step;
    const at = begin + (target[row] as number) * step;
    loss -= Math.log(grad[at] as number);
    grad[at] = (grad[at] as number) - 1;
    for (let i = begin; i < end; i += step) grad[i] = (grad[i] as number) / rows;
  }
  return loss / rows;
}
