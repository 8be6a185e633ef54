// The addon's one function behind the seam of ../plain-tokens.ts.

import type { PlainTokens } from '../plain-tokens.js';
import type { Exchange } from './exchange.js';
import type { NativeFunctions } from './kernels.js';

export function plainTokens(
  { compute }: NativeFunctions,
  exchange: Exchange,
  numberOf: (name: string) => number,
): PlainTokens {
  const argMax = numberOf('argMax');
  const topK = numberOf('topK');
  const tokenLogProbs = numberOf('tokenLogProbs');
  const sample = numberOf('sample');
  return {
    argMax(x, out, rows, length) {
      exchange.writePlainCall(argMax, rows, length);
      compute(x, out);
    },
    topK(x, values, indices, rows, length, k) {
      exchange.writePlainCall(topK, rows, length);
      exchange.writeNumbers(k, 0);
      compute(x, values, indices);
    },
    tokenLogProbs(
      logits,
      tokens,
      logProbs,
      ranks,
      logSumExp,
      topLogProbs,
      topTokens,
      rows,
      length,
      count,
      top,
    ) {
      exchange.writePlainCall(tokenLogProbs, rows, length);
      exchange.writeNumbers(count, top);
      if (top === 0) {
        compute(logits, tokens, logProbs, ranks, logSumExp);
        return;
      }
      exchange.writePresent(3 << 5, false);
      compute(logits, tokens, logProbs, ranks, logSumExp, topLogProbs, topTokens);
    },
    sample(logits, settings, uniforms, tokens, kept, logProbs, rawLogProbs, rows, length, count) {
      exchange.writePlainCall(sample, rows, length);
      exchange.writeNumbers(count, 0);
      exchange.writePresent((logProbs ? 1 << 5 : 0) | (rawLogProbs ? 1 << 6 : 0), false);
      compute(logits, settings, uniforms, tokens, kept, logProbs, rawLogProbs);
    },
  };
}
