// onnxruntime-node: models of one operator, and the result in a tensor that is there before.

import { createRequire } from 'node:module';
import { intAttribute, modelOf } from '../../checks/accuracy/onnx-model.js';
import type { Operation } from '../cases.js';
import type { Call, Open } from '../implementation.js';
import { type Problem, valuesOf } from '../problem.js';

interface Session {
  run(feeds: Record<string, object>, fetches: Record<string, object>): Promise<object>;
  release(): Promise<void>;
}
/** What is used of it: it is installed in this folder alone. */
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: object, dims: readonly number[]) => object;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

const operators: Partial<Record<Operation, string>> = { softmax: 'Softmax', logSoftmax: 'LogSoftmax' };
const require = createRequire(import.meta.url);

export const open: Open = (threads) => {
  const ort: OnnxRuntime = require('onnxruntime-node');
  const options = { intraOpNumThreads: Number(threads), interOpNumThreads: 1, logSeverityLevel: 4 };
  return {
    version: require('onnxruntime-node/package.json').version,
    // Until the garbage collector frees results as fast as they are made, each call is the first to touch its memory.
    warmup: 300e6,
    async prepare({ operation, dtype, shape, input, out }: Problem): Promise<Call | undefined> {
      const type = operators[operation];
      // Its JavaScript tensors have no bfloat16.
      if (!type || dtype === 'bfloat16') return undefined;
      const operator = { type, inputs: ['x'], attributes: [intAttribute('axis', shape.axis)] };
      const session = await ort.InferenceSession.create(modelOf(operator, dtype), options);
      const feeds = { x: new ort.Tensor(dtype, input.data, shape.dims) };
      const fetches = { y: new ort.Tensor(dtype, out, shape.dims) };
      return {
        run: () => session.run(feeds, fetches),
        result: () => valuesOf(out, dtype),
        close: () => session.release(),
      };
    },
  };
};
