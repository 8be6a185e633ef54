// crossEntropy against PyTorch: value and gradient over random combinations of the options, to 1e-6 relative for
// float32 and 1e-13 for float64, each element of each gradient on its own.

import { expect, test } from 'vitest';
import { lossOf } from './helpers/calls.js';
import { type Case, decoded, type Inputs, inputsOf, readCases } from './helpers/pytorch.js';
import { contained, gradOption, optionsOf, targetOf } from './helpers/pytorch-calls.js';
import { compare, crossEntropyTerms } from './helpers/pytorch-terms.js';
import { Worst } from './helpers/reference.js';

const cases = readCases('cross-entropy');

interface Result {
  readonly loss: unknown;
  readonly grad: unknown;
  readonly count: number;
}

function call(given: Case, inputs: Inputs, number: number): Result {
  const logits = contained(inputs.logits.slice(), given, number);
  const grad = gradOption(logits, given, number);
  const options = { ...optionsOf(given, inputs, number), grad };
  const result = lossOf(logits, targetOf(given, inputs, number), options) as Result;
  if (grad !== true) expect(result.grad).toBe(grad);
  return result;
}

const groups = (['float32', 'float64'] as const).flatMap((dtype) =>
  (['indices', 'probabilities'] as const).flatMap((target) =>
    (['mean', 'sum', 'none'] as const).map((reduction) => ({ dtype, target, reduction })),
  ),
);

test('there are 700 cases, and every group has some', () => {
  expect(cases.length).toBeGreaterThanOrEqual(700);
  for (const { dtype, target, reduction } of groups)
    expect(
      cases.filter((c) => c.dtype === dtype && c.target === target && c.reduction === reduction).length,
    ).toBeGreaterThan(20);
});

test.each(groups)('crossEntropy of $dtype and $target, $reduction', (group) => {
  const ofLoss = new Worst();
  const ofGrad = new Worst();
  cases.forEach((given, number) => {
    if (given.dtype !== group.dtype || given.target !== group.target || given.reduction !== group.reduction)
      return;
    const inputs = inputsOf(given);
    const { loss, grad, count } = call(given, inputs, number);
    const ignoreIndex = given.ignoreIndex ?? -100;
    const isCounted = (y: number) => inputs.probabilities !== undefined || y !== ignoreIndex;
    expect(count, JSON.stringify(given)).toBe(inputs.indices.filter(isCounted).length);

    // The one thing that PyTorch does not have.
    const isZero = given.emptyMean === 'zero' && count === 0 && given.reduction === 'mean';
    const exact = decoded(given.loss).map((value) => (isZero ? 0 : value));
    // Float32 results are computed in float64 where terms cancel, and are held to their own size alone.
    const terms = given.dtype === 'float64' ? crossEntropyTerms(given, inputs) : undefined;
    compare(ofLoss, given, 'loss', loss, exact, terms?.loss);
    compare(ofGrad, given, 'grad', grad, decoded(given.grad), terms?.grad);
  });
  expect(ofLoss.error, ofLoss.label).toBeLessThanOrEqual(1);
  expect(ofGrad.error, ofGrad.label).toBeLessThanOrEqual(1);
  // Whatever computes nothing has no error at all.
  expect(ofGrad.error).toBeGreaterThan(0);
});
