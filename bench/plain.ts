// What people write by hand: the loops every contestant is compared with.

export function plainSoftmax(logits: Float32Array, out: Float32Array, rows: number, classes: number): void {
  for (let row = 0; row < rows; row++) {
    const begin = row * classes;
    const end = begin + classes;
    let max = Number.NEGATIVE_INFINITY;
    for (let i = begin; i < end; i++) if ((logits[i] as number) > max) max = logits[i] as number;
    let sum = 0;
    for (let i = begin; i < end; i++) {
      const e = Math.exp((logits[i] as number) - max);
      out[i] = e;
      sum += e;
    }
    for (let i = begin; i < end; i++) out[i] = (out[i] as number) / sum;
  }
}

/** Mean loss, gradient in `grad`. */
export function plainCrossEntropy(
  logits: Float32Array,
  target: Int32Array,
  grad: Float32Array,
  rows: number,
  classes: number,
): number {
  plainSoftmax(logits, grad, rows, classes);
  let loss = 0;
  for (let row = 0; row < rows; row++) {
    const begin = row * classes;
    const at = begin + (target[row] as number);
    loss -= Math.log(grad[at] as number);
    grad[at] = (grad[at] as number) - 1;
    for (let i = begin; i < begin + classes; i++) grad[i] = (grad[i] as number) / rows;
  }
  return loss / rows;
}
