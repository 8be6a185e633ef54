// A worker of workerd, as `workerd test` runs it: what serves before and after init() is given the module it is deployed
// with, printed as JSON.
import { backend, crossEntropy, init, softmax } from 'softmax-native/wasm';
import { hashOf } from './report.cjs';
import module from './softmax-simd.wasm';

const look = () => ({ kind: backend.kind, hash: hashOf({ softmax, crossEntropy }) });

export default {
  async test() {
    const before = look();
    const { reason } = backend;
    await init(module);
    console.log(JSON.stringify({ before, reason, after: look() }));
  },
};
