// ONNX Runtime, by models of one operator.

import { createRequire } from 'node:module';
import { formats } from '../../test/helpers/exact-row.js';
import { numberOf } from '../../test/helpers/half-bits.js';
import type { Batch, Contestant, Operation } from './contestants.js';
import { intAttribute, intsAttribute, modelOf, type Operator, stringAttribute } from './onnx-model.js';

const lastAxis = intAttribute('axis', 1);
const lastAxes = intsAttribute('axes', 1);
const noDimension = intAttribute('keepdims', 0);
const noReduction = stringAttribute('reduction', 'none');

const operators: Partial<Record<Operation, Operator>> = {
  softmax: { type: 'Softmax', inputs: ['x'], attributes: [lastAxis] },
  logSoftmax: { type: 'LogSoftmax', inputs: ['x'], attributes: [lastAxis] },
  logSumExp: { type: 'ReduceLogSumExp', inputs: ['x'], attributes: [lastAxes, noDimension] },
  loss: { type: 'SoftmaxCrossEntropyLoss', inputs: ['x', 'target'], attributes: [noReduction] },
};

/** What is used of onnxruntime-node, which is installed with the example alone. */
interface Tensor {
  readonly data: ArrayLike<number>;
}
interface Session {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: ArrayLike<number> | BigInt64Array, dims: number[]) => Tensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

export function onnxRuntime(): Contestant | undefined {
  const require = createRequire(new URL('../../examples/interop/package.json', import.meta.url));
  let ort: OnnxRuntime;
  try {
    ort = require('onnxruntime-node');
  } catch {
    return undefined;
  }
  const sessions = new Map<string, Promise<Session | undefined>>();
  const sessionOf = (operation: Operation, dtype: Batch['dtype']) => {
    const key = `${operation} ${dtype}`;
    const operator = operators[operation];
    if (operator && !sessions.has(key)) {
      // An operator that is not implemented for the dtype is an error here.
      const session = ort.InferenceSession.create(modelOf(operator, dtype), { logSeverityLevel: 4 });
      sessions.set(
        key,
        session.catch(() => undefined),
      );
    }
    return sessions.get(key);
  };
  return {
    name: 'ONNX Runtime',
    version: require('onnxruntime-node/package.json').version,
    async measure(operation, { dtype, data, rows, length, targets }) {
      // Its JavaScript tensors have no bfloat16.
      if (dtype === 'bfloat16') return undefined;
      const session = await sessionOf(operation, dtype);
      if (!session) return undefined;
      const x = new ort.Tensor(dtype, data, [rows, length]);
      const target = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [rows]);
      const { y } = await session.run(operation === 'loss' ? { x, target } : { x });
      if (!(y?.data instanceof Uint16Array)) return y?.data;
      return Float64Array.from(y.data, (bits) => numberOf(bits, formats.float16));
    },
    close() {},
  };
}
