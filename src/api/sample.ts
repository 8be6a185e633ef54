// Tokens from logits.

import type { DType } from '../backends/kernels.js';
import type { IndexArray, IndicesOf, Input, NumberArray, RowArray, Tensor } from './arrays.js';
import type { AsyncOptions, DTypeOptions, MaskOptions, ShapeOptions } from './options.js';

/** Integers: class indices, or where each row's begin. */
export type Integers = IndexArray | readonly number[] | Tensor;

/** Integers of up to 64 bits: one, or one per row. */
export type Seeds = number | bigint | readonly (number | bigint)[] | IndexArray;

/** What is added to some logits. */
export interface SparseBias {
  /** Classes. */
  readonly indices: Integers;
  /** What is added to each: finite, or −Infinity. */
  readonly values: NumberArray;
  /** rows + 1 of them: row r has those from offsets[r] on and before offsets[r + 1]. Without it every row has all. */
  readonly offsets?: Integers | undefined;
}

/** What previous tokens cost. Each number may be one per row. */
export interface Penalties {
  /** Previous tokens, row after row. */
  readonly tokens: Integers;
  /** rows + 1 of them: row r has those from offsets[r] on and before offsets[r + 1]. Without it all rows have as many. */
  readonly offsets?: Integers | undefined;
  /** r > 0, once for each token that is there: a logit above 0 is divided by it, others are multiplied. Default 1. */
  readonly repetition?: number | NumberArray | undefined;
  /** f: a logit loses f for each time that its token is there. Default 0. */
  readonly frequency?: number | NumberArray | undefined;
  /** p: a logit loses p if its token is there. Default 0. */
  readonly presence?: number | NumberArray | undefined;
}

/**
 * Places for results: of sample's, those that are given, and tokens. The others are not computed. Log-probabilities are a
 * Float64Array for float64 logits, else a Float32Array.
 */
export interface SampleOut {
  /** `count` a row. */
  readonly tokens?: Int32Array | Tensor | undefined;
  /** `count` a row. */
  readonly logProbs?: Float32Array | Float64Array | Tensor | undefined;
  /** `count` a row. */
  readonly rawLogProbs?: Float32Array | Float64Array | Tensor | undefined;
  /** One a row. */
  readonly kept?: Int32Array | Tensor | undefined;
  /** `top` a row. */
  readonly topTokens?: Int32Array | Tensor | undefined;
  /** `top` a row. */
  readonly topLogProbs?: Float32Array | Float64Array | Tensor | undefined;
}

/** Options of sample. Filters are off by default; each number of theirs may be one per row. */
export interface SampleOptions<Out extends SampleOut | undefined = SampleOut | undefined>
  extends ShapeOptions,
    MaskOptions,
    DTypeOptions<DType | undefined> {
  /** τ ≥ 0. 0: the first of the largest logits. Default 1. */
  readonly temperature?: number | NumberArray | undefined;
  /** k: the k largest logits stay, of equal ones the first. 0, the default: all. */
  readonly topK?: number | NumberArray | undefined;
  /** p in (0, 1]: the largest stay until their probabilities reach p. Default 1. */
  readonly topP?: number | NumberArray | undefined;
  /** In [0, 1]: probabilities of at least so much of the largest stay. Default 0. */
  readonly minP?: number | NumberArray | undefined;
  /** p in (0, 1]: those whose −log p is nearest to the entropy stay until their probabilities reach p. Default 1. */
  readonly typicalP?: number | NumberArray | undefined;
  /** n ≥ 0: logits of at least max − n·σ stay, σ being that of the finite logits. 0, the default: all. */
  readonly topNSigma?: number | NumberArray | undefined;
  /** So many stay after each filter, if there are as many. Default 1. */
  readonly minKeep?: number | NumberArray | undefined;
  /** true: all that equal the last one stay, in topK and typicalP, as in Hugging Face. Default false. */
  readonly keepTies?: boolean | undefined;
  /**
   * 'temperature-first': temperature, topNSigma, topK, topP, minP, typicalP, as in Hugging Face. 'temperature-last':
   * topNSigma, topK, typicalP, topP, minP, temperature, as in llama.cpp. vLLM has minP before topK and topP. Default
   * 'temperature-first'.
   */
  readonly order?: 'temperature-first' | 'temperature-last' | undefined;
  /**
   * Which classes may be drawn: a bit each, 32 in a word, the lowest bit first; ⌈classes / 32⌉ words for all rows, or for
   * each. The bitmask of xgrammar and llguidance. `mask` does the same with bytes; what both allow is left.
   */
  readonly allowed?: Int32Array | Uint32Array | Tensor | undefined;
  /** Added to the logits: one per class, or only to some. Finite, or −Infinity. */
  readonly bias?: NumberArray | SparseBias | undefined;
  /** Of tokens that were there before. */
  readonly penalties?: Penalties | undefined;
  /** Draws a row, with replacement. With it, tokens have a last axis of so many. Default 1. */
  readonly count?: number | undefined;
  /**
   * The same seed, step and logits give the same tokens on every machine. An integer of up to 64 bits for all rows, whose
   * numbers then tell them apart; or one per row: what a row gives does not depend on others then. Default: a fresh one.
   */
  readonly seed?: Seeds | undefined;
  /** Which of the steps with that seed this is: an integer of at least 0, or one per row. Default 0. */
  readonly step?: Seeds | undefined;
  /** Numbers in [0, 1), one a draw, row after row, in place of a seed. */
  readonly uniform?: NumberArray | undefined;
  /** How many most likely tokens to report for each row. Default 0. */
  readonly top?: number | undefined;
  /** What topTokens and topLogProbs are of: 'raw', the logits as given, or 'processed', what is drawn from. Default 'raw'. */
  readonly logProbsOf?: 'raw' | 'processed' | undefined;
  /** Where results go: arrays that share no memory with any other of the call. */
  readonly out?: Out | undefined;
}

/** What sample returns. */
export interface SampleResult<X extends Input = Input> {
  /** The class of each draw; −1 where there is nothing to draw. */
  readonly tokens: IndicesOf<X>;
  /** log of the probability that it was drawn with: after all filters. NaN where there is nothing to draw. */
  readonly logProbs: RowArray<X>;
  /** log softmax of the logits as given, at that class: the very bits of logSoftmax. */
  readonly rawLogProbs: RowArray<X>;
  /** How many classes the filters left of each row. */
  readonly kept: IndicesOf<X>;
  /** The `top` most likely classes, the first one first; −1 where fewer are left. Only with `top`. */
  readonly topTokens?: IndicesOf<X>;
  /** Their log-probabilities; −Infinity where fewer are left. Only with `top`. */
  readonly topLogProbs?: RowArray<X>;
  /** The seed as it was given, or the fresh one. Not with `uniform`. */
  readonly seed?: Seeds;
}

/** What sample returns with `out`: what that has, and tokens. */
export type SampleResultOf<X extends Input, Out extends SampleOut | undefined> = [Out] extends [SampleOut]
  ? Out & Pick<SampleResult<X>, 'tokens' | 'seed'>
  : SampleResult<X>;

/**
 * Draws classes (tokens) by their probabilities. Of each row along `axis`: penalties, bias, mask and allowed; then the
 * filters in the order of `order`, each on the distribution that the earlier ones left, renormalised; then `count` draws.
 *
 * - penalties: z > 0 ? z / repetition : z · repetition, then z − (frequency · count + presence), then z + bias;
 * - topNSigma: z ≥ max − n·σ (llama.cpp); topK: the k largest; topP: in descending order until the sum of probabilities
 *   reaches p, with the one that crosses; minP: p_i ≥ minP · p_max; typicalP: by |−log p_i − H| ascending, until the sum
 *   reaches p (Hugging Face, llama.cpp). Of equal logits the one with the lower index comes first.
 *
 * Sums decide which tokens stay and which is drawn, so they are exact: each class has the integer weight
 * round(e · 2^s), where e is its exponential (float32, for float64 logits float64) relative to the row's largest and s is
 * 51 less the bits of the number of classes. Less than about 2^−(s + 1) of the largest probability (2^−35 of 128k classes)
 * is never drawn. A draw is the first class in order of index whose cumulative weight exceeds u times the total, with u in
 * [0, 1) of Philox4x32-10 (Salmon et al., 2011): key `seed`, counter (draw, step, row), the row being 0 where each has its
 * own seed.
 *
 * @param logits - an array (one row, or of the `shape` given) or a tensor; classes along `axis`, by default the last
 * @param options - `temperature`, `topK`, `topP`, `minP`, `typicalP`, `topNSigma`, `minKeep`, `keepTies`, `order`, `mask`,
 * `allowed`, `bias`, `penalties`, `count`, `seed`, `step`, `uniform`, `top`, `logProbsOf`, `shape`, `axis`, `dtype` (what
 * bare Uint16Arrays hold), `out`
 * @returns tokens, their log-probabilities as drawn and of the logits as given, how many classes were kept, and what was
 * asked for with `top`: of the logits' shape without the axis, in their container. Log-probabilities are float64 for
 * float64 logits and float32 for all others, accurate as logSoftmax's. A row with a NaN or +Infinity where the mask keeps
 * it, or with nothing left, gives token −1, log-probabilities NaN and kept 0.
 *
 * @throws TypeError ERR_DTYPE, ERR_DETACHED, ERR_NOT_ON_CPU, ERR_AXIS, ERR_MASK, ERR_TEMPERATURE, ERR_K, ERR_OPTION,
 * ERR_SHAPE: a value of the wrong kind
 * @throws RangeError ERR_TARGET_RANGE (a token or index that is no class), ERR_SHAPE, ERR_AXIS, ERR_TEMPERATURE, ERR_K,
 * ERR_MASK, ERR_OUT_OVERLAP, ERR_OPTION: a value out of range
 *
 * @example
 * const logits = new Float32Array([1, 2, 3, 4]);
 * const { tokens, logProbs, rawLogProbs, kept } = sample(logits, { temperature: 0.7, topK: 2, seed: 1 });
 * tokens; // [3]
 * logProbs; // [-0.2148]
 * rawLogProbs; // [-0.4402]
 * kept; // [2]
 * sample(logits, { temperature: 0 }).tokens; // [3]
 *
 * @example
 * // A decode loop that makes no arrays: one row a request, each with its own settings, seed and step.
 * const rows = new Float32Array([1, 2, 3, 3, 2, 1]);
 * const out = { tokens: new Int32Array(2) };
 * const settings = { shape: [2, 3], temperature: [0, 1.2], topP: [1, 0.9], seed: [7n, 8n], out };
 * for (let step = 0; step < 3; step++) sample(rows, { ...settings, step });
 * out.tokens[0]; // 2
 */
export declare function sample<X extends Input, Out extends SampleOut | undefined = undefined>(
  logits: X,
  options?: SampleOptions<Out>,
): SampleResultOf<X, Out>;

/**
 * sample, away from the event loop.
 *
 * @param logits - as sample takes them
 * @param options - those of sample, `signal`, `transfer` (of `logits`)
 * @returns a promise of what sample returns
 *
 * @throws nothing: the promise is rejected, as softmaxAsync's is
 *
 * @example
 * const { tokens } = await sampleAsync(new Float32Array([1, 9, 3]), { temperature: 0 });
 * tokens; // [1]
 * (await sampleAsync(new Float32Array([1, 9, 3]), { seed: 5, count: 4 })).tokens; // [1, 1, 1, 1]
 */
export declare function sampleAsync<X extends Input, Out extends SampleOut | undefined = undefined>(
  logits: X,
  options?: SampleOptions<Out> & AsyncOptions,
): Promise<SampleResultOf<X, Out>>;
