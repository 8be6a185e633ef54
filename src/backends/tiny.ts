// The tiniest plain calls in JavaScript, with the same bits: there a call of native code or WebAssembly costs more than all
// it does. Only where nothing is forced: `softmax-native/native` and a forced backend or instruction set stay what they say.

import { jsPlainKernels } from './js/plain-kernels.js';
import type { Kernels, PlainKernels } from './kernels.js';

type TinyElements = Readonly<
  Record<'softmax' | 'logSoftmax' | 'softmaxBackward' | 'logSoftmaxBackward', number>
>;

/**
 * Up to as many elements JavaScript takes no longer than native code: measured by `npm run bench crossover`
 * (bench/crossover.ts) on an AMD EPYC (Zen 5, AVX-512) with Node 20.20, 25 November 2026.
 */
export const tinyElements = {
  softmax: 8,
  logSoftmax: 8,
  softmaxBackward: 7,
  logSoftmaxBackward: 5,
} as const;

/**
 * The same for results in new arrays. The engine has so many floats in its own heap, and moves them out of it for native
 * code, which takes longer than to compute them: `npm run bench memory`.
 */
const floatsInHeap = 16;
export const tinyNewElements: TinyElements = {
  softmax: floatsInHeap,
  logSoftmax: floatsInHeap,
  softmaxBackward: floatsInHeap,
  logSoftmaxBackward: floatsInHeap,
};

/**
 * The same of WebAssembly, which copies arguments and results: one row or several, on the same machine with the module that
 * has no fused multiply-add.
 */
const tinyWasmElements = 64;

/**
 * Another addon may have set this thread to take denormal numbers for 0. Native code sets and restores the mode; what
 * JavaScript computes would lose them.
 */
const smallest = Float64Array.of(Number.MIN_VALUE);
const keepsDenormals = (): boolean => (smallest[0] as number) + (smallest[0] as number) > 0;

/** Native kernels, but for the tiniest plain calls. */
export const withTinyRows = (kernels: Kernels): Kernels => ({
  ...kernels,
  plain: plainWithTinyRows(kernels.plain, tinyElements),
  plainNew: plainWithTinyRows(kernels.plain, tinyNewElements),
});

/** The same of WebAssembly, whose batch is that of JavaScript. */
export function withTinyWasmRows(kernels: Kernels): Kernels {
  const most = tinyWasmElements;
  const all = { softmax: most, logSoftmax: most, softmaxBackward: most, logSoftmaxBackward: most };
  const tiny = jsPlainKernels;
  const plain: PlainKernels = {
    ...plainWithTinyRows(kernels.plain, all),
    crossEntropy(logits, grad, elements, length, gradLoss) {
      if (elements <= most && keepsDenormals()) tiny.crossEntropy(logits, grad, elements, length, gradLoss);
      else kernels.plain.crossEntropy(logits, grad, elements, length, gradLoss);
    },
  };
  return { ...kernels, plain, plainNew: plain };
}

function plainWithTinyRows(compiled: PlainKernels, most: TinyElements): PlainKernels {
  const tiny = jsPlainKernels;
  return {
    ...compiled,
    softmax(x, out, elements, length) {
      if (elements <= most.softmax && keepsDenormals()) tiny.softmax(x, out, elements, length);
      else compiled.softmax(x, out, elements, length);
    },
    logSoftmax(x, out, elements, length) {
      if (elements <= most.logSoftmax && keepsDenormals()) tiny.logSoftmax(x, out, elements, length);
      else compiled.logSoftmax(x, out, elements, length);
    },
    softmaxBackward(gradOutput, output, out, elements, length) {
      if (elements <= most.softmaxBackward && keepsDenormals())
        tiny.softmaxBackward(gradOutput, output, out, elements, length);
      else compiled.softmaxBackward(gradOutput, output, out, elements, length);
    },
    logSoftmaxBackward(gradOutput, output, out, elements, length) {
      if (elements <= most.logSoftmaxBackward && keepsDenormals())
        tiny.logSoftmaxBackward(gradOutput, output, out, elements, length);
      else compiled.logSoftmaxBackward(gradOutput, output, out, elements, length);
    },
  };
}
