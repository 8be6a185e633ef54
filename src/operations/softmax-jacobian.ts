import { softmaxJacobianRow } from '../backends/js/backward.js';
import { squareRows } from '../backends/js/kernels.js';
import { unaryOperation } from './row-operation.js';

export const softmaxJacobian = unaryOperation({
  name: 'softmaxJacobian',
  input: 'output',
  result: 'square',
  js: squareRows(softmaxJacobianRow),
});
