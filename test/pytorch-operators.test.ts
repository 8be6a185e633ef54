// nllLoss, distillationLoss, softmax and logSoftmax with their gradients against PyTorch's nll_loss, kl_div (blended
// with cross_entropy), softmax and log_softmax: along any axis, to 1e-6 relative for float32 and 1e-13 for float64.

import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  logSoftmaxBackward,
  nllLoss,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { type Case, decoded, type Floats, type Inputs, inputsOf, readCases } from './helpers/pytorch.js';
import { contained, dataOf, gradOption, optionsOf, targetOf } from './helpers/pytorch-calls.js';
import { compare } from './helpers/pytorch-terms.js';
import { Worst } from './helpers/reference.js';
import { at } from './helpers/rows.js';

const dtypes = ['float32', 'float64'] as const;

/**
 * A gradient of distillation is a sum of two differences. In float32 all of it is computed in float64; in float64 each
 * difference may nearly cancel, and so may the sum.
 */
function distillationTerms(given: Case, inputs: Inputs, i: number): Float64Array {
  const { rows, classes, place, gradOutput, temperature } = inputs;
  const { alpha = 1, scale = 1 } = given;
  const terms = new Float64Array(rows * classes);
  if (given.dtype === 'float32') return terms;
  const options = optionsOf(given, inputs, i);
  const { shape, axis, temperature: ofRows, scale: ofAll, mask } = options;
  const rowOptions = { shape, axis, temperature: ofRows, scale: ofAll, mask };
  const p = dataOf(softmax(any(contained(inputs.logits, given, i)), any(rowOptions)));
  const factor = (alpha * scale) / (given.reduction === 'mean' ? rows : 1);
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < classes; c++) {
      const ofRow = at(gradOutput, row) * at(temperature, row) * factor;
      terms[place(row, c)] = Math.abs(ofRow) * at(p, place(row, c));
    }
  if (given.target) {
    const target = targetOf(given, inputs, i);
    const { alpha: _, ...others } = options;
    const hardOptions = { ...others, temperature: 1, grad: true };
    const { grad } = crossEntropy(any(contained(inputs.logits, given, i)), any(target), any(hardOptions));
    dataOf(grad).forEach((value, index) => {
      terms[index] = at(terms, index) + (1 - alpha) * Math.abs(value);
    });
  }
  return terms;
}

/**
 * The gradients of softmax and log-softmax come from the rounded output, p or log p, and are differences:
 * p (g − Σ g p) and g − p Σ g.
 */
function backwardTerms(given: Case, inputs: Inputs, output: Floats): Float64Array {
  const { rows, classes, place, incoming } = inputs;
  const terms = new Float64Array(rows * classes);
  const classesOf = Array.from({ length: classes }, (_, c) => c);
  for (let row = 0; row < rows; row++) {
    const multiplier = Math.abs((given.scale ?? 1) / at(inputs.temperature, row));
    const sum = classesOf.reduce((a, c) => a + Math.abs(incoming?.[place(row, c)] ?? 0), 0);
    for (const c of classesOf) {
      const y = at(output, place(row, c));
      terms[place(row, c)] = multiplier * sum * (given.operator === 'softmax' ? y : Math.exp(y));
    }
  }
  return terms;
}

describe.each(dtypes)('%s', (dtype) => {
  const casesOf = (file: string) =>
    readCases(file).flatMap((given, i) =>
      given.dtype === dtype ? [{ given, i, inputs: inputsOf(given) }] : [],
    );

  test('nllLoss', () => {
    const worst = new Worst();
    for (const { given, i, inputs } of casesOf('nll-loss')) {
      const logProbs = contained(inputs.logits.slice(), given, i);
      const options = { ...optionsOf(given, inputs, i), grad: gradOption(logProbs, given, i) };
      const { loss, grad } = nllLoss(any(logProbs), any(targetOf(given, inputs, i)), any(options));
      compare(worst, given, 'loss', loss, decoded(given.loss));
      compare(worst, given, 'grad', grad, decoded(given.grad));
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });

  test('distillationLoss', () => {
    const worst = new Worst();
    for (const { given, i, inputs } of casesOf('distillation')) {
      const student = contained(inputs.logits.slice(), given, i);
      const teacher = contained(inputs.teacher, given, i);
      const target = targetOf(given, inputs, i);
      const grads = { grad: gradOption(student, given, i) };
      const options = { ...optionsOf(given, inputs, i), ...(target !== undefined && { target }), ...grads };
      const { loss, grad } = distillationLoss(any(student), any(teacher), any(options));
      compare(worst, given, 'loss', loss, decoded(given.loss));
      compare(worst, given, 'grad', grad, decoded(given.grad), distillationTerms(given, inputs, i));
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });

  test.each([
    ['softmax', softmax, softmaxBackward],
    ['logSoftmax', logSoftmax, logSoftmaxBackward],
  ] as const)('%s and its gradient', (operator, forward, backward) => {
    const worst = new Worst();
    for (const { given, i, inputs } of casesOf('softmax')) {
      if (given.operator !== operator) continue;
      const options = any(optionsOf(given, inputs, i));
      const output = forward(any(contained(inputs.logits, given, i)), options);
      compare(worst, given, 'output', output, decoded(given.output));
      const grad = backward(any(contained(inputs.incoming, given, i)), any(output), options);
      compare(worst, given, 'grad', grad, decoded(given.grad), backwardTerms(given, inputs, dataOf(output)));
    }
    expect(worst.error, worst.label).toBeLessThanOrEqual(1);
  });
});
