// The operations on rows of which some classes are here and others elsewhere.

import { finishCrossEntropy } from './finish-cross-entropy.js';
import { finishLogSumExp } from './finish-log-sum-exp.js';
import { finishLogSoftmax, finishSoftmax } from './finish-rows.js';
import { gatherTopK } from './gather-top-k.js';
import { mergePartials } from './merge.js';
import type { ShardOperation } from './operation.js';
import { partial } from './partial.js';

export const shardOperations: readonly ShardOperation[] = [
  partial,
  mergePartials,
  finishLogSumExp,
  finishSoftmax,
  finishLogSoftmax,
  finishCrossEntropy,
  gatherTopK,
];
