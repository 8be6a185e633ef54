import type { CrossEntropy } from './model.js';

/** What one would write without the package: the loss and its gradient, row by row, with Math.exp. */
export const plainCrossEntropy: CrossEntropy = (logits, labels, { shape: [rows, classes], grad }) => {
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const first = row * classes;
    const target = first + (labels[row] as number);
    let max = Number.NEGATIVE_INFINITY;
    for (let i = first; i < first + classes; i++) max = Math.max(max, logits[i] as number);
    const targetLogit = (logits[target] as number) - max;
    let total = 0;
    for (let i = first; i < first + classes; i++) {
      const exponential = Math.exp((logits[i] as number) - max);
      grad[i] = exponential;
      total += exponential;
    }
    for (let i = first; i < first + classes; i++) {
      const probability = (grad[i] as number) / total;
      grad[i] = (probability - (i === target ? 1 : 0)) / rows;
    }
    sum += Math.log(total) - targetLogit;
  }
  return { loss: sum / rows };
};
