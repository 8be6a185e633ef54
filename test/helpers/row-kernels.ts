// A backend's kernels over rows, by their names: those of the table of operations.

import type { BinaryRows, Kernels, UnaryRows } from '../../src/backends/kernels.js';
import type { Operation } from '../../src/operations/operation.js';
import type { RowOperation } from '../../src/operations/row-operation.js';
import { operations } from '../../src/operations/table.js';

type AnyRowOperation = RowOperation<UnaryRows> | RowOperation<BinaryRows>;
const isOfRows = (operation: Operation): operation is AnyRowOperation => 'kernel' in operation;

export const rowOperations = operations.filter(isOfRows);
export const unaryOperations = rowOperations.filter(({ inputs }) => inputs.length === 1);

export interface RowKernels extends Readonly<Record<string, UnaryRows | BinaryRows>> {
  readonly softmax: UnaryRows;
  readonly logSoftmax: UnaryRows;
  readonly logSumExp: UnaryRows;
  readonly softmaxBackward: BinaryRows;
  readonly logSoftmaxBackward: BinaryRows;
}

const kernelOn = (kernels: Kernels, { inputs, kernel }: AnyRowOperation): UnaryRows | BinaryRows =>
  inputs.length === 1 ? kernels.unary(kernel as never) : kernels.binary(kernel as never);

export const rowKernelsOf = (kernels: Kernels): RowKernels =>
  Object.fromEntries(
    rowOperations.map((operation) => [operation.name, kernelOn(kernels, operation)]),
  ) as unknown as RowKernels;
