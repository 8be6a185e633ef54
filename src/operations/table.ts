// The table of operations. Entry points, asynchronous twins, and the sweeps of tests and checks derive from it.

import { crossEntropy } from './cross-entropy.js';
import { distillationLoss } from './distillation-loss.js';
import { entropy } from './entropy.js';
import { logSoftmax } from './log-softmax.js';
import { logSoftmaxBackward } from './log-softmax-backward.js';
import { logSumExp } from './log-sum-exp.js';
import { nllLoss } from './nll-loss.js';
import type { Operation } from './operation.js';
import { sample } from './sample.js';
import { softmax } from './softmax.js';
import { softmaxBackward } from './softmax-backward.js';
import { softmaxJacobian } from './softmax-jacobian.js';
import { argMax } from './tokens/arg-max.js';
import { gumbelSoftmax } from './tokens/gumbel-softmax.js';
import { klDivergence } from './tokens/kl-divergence.js';
import { tokenLogProbs } from './tokens/token-log-probs.js';
import { topK } from './tokens/top-k.js';

export const operations: readonly Operation[] = [
  softmax,
  logSoftmax,
  logSumExp,
  entropy,
  klDivergence,
  argMax,
  topK,
  tokenLogProbs,
  softmaxBackward,
  logSoftmaxBackward,
  softmaxJacobian,
  crossEntropy,
  nllLoss,
  distillationLoss,
  sample,
  gumbelSoftmax,
];
