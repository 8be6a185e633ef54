// TensorFlow.js on WebAssembly. Its best case: the logits are in its memory before, and the result stays there.

import { createRequire } from 'node:module';
import type { Operation } from '../cases.js';
import type { Call, Open } from '../implementation.js';
import type { Numbers } from '../plain.js';

interface Tensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}
interface TensorFlow {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor2d(data: Numbers, shape: readonly [number, number]): Tensor;
  softmax(logits: Tensor, axis: number): Tensor;
  logSoftmax(logits: Tensor, axis: number): Tensor;
}

const require = createRequire(import.meta.url);

export const open: Open = async () => {
  const tf: TensorFlow = require('@tensorflow/tfjs-core');
  require('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.setBackend('wasm'))) throw new Error('there is no wasm backend');
  await tf.ready();
  const functions: Partial<Record<Operation, TensorFlow['softmax']>> = {
    softmax: tf.softmax,
    logSoftmax: tf.logSoftmax,
  };
  return {
    version: tf.version_core,
    prepare({ operation, dtype, shape, input }): Call | undefined {
      const compute = functions[operation];
      // Along the last axis only.
      if (!compute || dtype !== 'float32' || shape.axis !== 1) return undefined;
      const x = tf.tensor2d(input.values, shape.dims);
      return {
        run: () => compute(x, 1).dispose(),
        async result() {
          const y = compute(x, 1);
          const values = await y.data();
          y.dispose();
          return values;
        },
        close: () => x.dispose(),
      };
    },
  };
};
