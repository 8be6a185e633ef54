// A row that comes in chunks.

import type { DType } from '../backends/kernels.js';
import type { FloatArray, Result } from './arrays.js';
import type { NoInfer } from './no-infer.js';
import type { ShardState } from './shards.js';

/** Options of SoftmaxStream. */
export interface SoftmaxStreamOptions {
  /** What chunks hold, and bytes are, in the machine's byte order. Default 'float32'. */
  readonly dtype?: DType | undefined;
  /** As of softmax, one number. Default 1. */
  readonly temperature?: number | undefined;
  /** As of softmax. Default 1. */
  readonly scale?: number | undefined;
}

/** Floats of the stream's dtype, or their bytes, cut anywhere. */
export type StreamChunk = FloatArray | Uint8Array;

/** What gives chunks: a Node stream, a web stream, a generator, an array. */
export type StreamSource = AsyncIterable<StreamChunk> | Iterable<StreamChunk>;

/**
 * One row that comes in chunks of any lengths: its log-sum-exp, arg max and state at any time, and in a second pass its
 * probabilities chunk by chunk. It keeps less than a block of 4096 logits, and 2 KiB of sums.
 * All results have the bits of one call of the whole row.
 *
 * @example
 * new SoftmaxStream().push(new Float32Array([1, 2])).push(new Float32Array([3])).logSumExp(); // 3.4076
 *
 * @example
 * // Two passes over what may be larger than memory, such as a file.
 * const chunks = [new Float32Array([1, 2]), new Float32Array([3])];
 * const stream = await new SoftmaxStream().read(chunks);
 * const probabilities = [];
 * for await (const chunk of stream.softmaxOf(chunks)) probabilities.push(...chunk);
 * probabilities; // [0.0900, 0.2447, 0.6652]
 */
export declare class SoftmaxStream {
  /**
   * @param options - `dtype`, `temperature`, `scale`
   *
   * @throws TypeError, RangeError ERR_DTYPE, ERR_TEMPERATURE, ERR_OPTION: an option that is none
   */
  constructor(options?: SoftmaxStreamOptions);

  /** Logits so far; bytes of an element that is not whole do not count. */
  readonly length: number;

  /**
   * Takes the next logits of the row. They are not kept: the array is the caller's again.
   *
   * @param chunk - floats of the stream's dtype, or their bytes
   * @returns the stream
   *
   * @throws TypeError, RangeError ERR_DTYPE: of another dtype; ERR_DETACHED; ERR_SHAPE: more than 2³¹ − 1 logits
   */
  push(chunk: StreamChunk): this;

  /**
   * Pushes all chunks of a source.
   *
   * @param source - anything for `for await`: a Node stream of bytes, a web stream, an array
   * @returns a promise of the stream
   *
   * @throws nothing: the promise is rejected with what push throws, or with the source's error
   */
  read(source: StreamSource): Promise<this>;

  /**
   * What mergePartials, finishSoftmax and the others take.
   *
   * @returns the state of the logits so far; more may come
   *
   * @throws RangeError ERR_SHAPE: bytes end within an element
   */
  state(): ShardState;

  /**
   * log Σ exp(s·x / τ) of the logits so far.
   *
   * @returns a number, of float32 logits a float32
   *
   * @throws RangeError ERR_SHAPE: bytes end within an element; ERR_TEMPERATURE: temperature 0 has no limit
   */
  logSumExp(): number;

  /**
   * The number of the largest logit so far, as argMax has it.
   *
   * @returns −1 if there is none
   *
   * @throws RangeError ERR_SHAPE: bytes end within an element
   */
  argMax(): number;

  /**
   * softmax of some of the logits, as finishSoftmax has it with the state of all so far.
   *
   * @param chunk - logits that were pushed
   * @param options - `out`, `dtype`: as of finishSoftmax
   * @returns their probabilities
   *
   * @throws TypeError, RangeError: what finishSoftmax throws
   */
  softmax<
    Chunk extends FloatArray,
    Out extends FloatArray | undefined = undefined,
    D extends DType | undefined = undefined,
  >(
    chunk: Chunk,
    options?: { readonly out?: Out; readonly dtype?: D },
  ): Result<Chunk, NoInfer<Out>, NoInfer<D>>;

  /**
   * log-softmax of some of the logits, as finishLogSoftmax has it with the state of all so far.
   *
   * @param chunk - logits that were pushed
   * @param options - `out`, `dtype`: as of finishLogSoftmax
   * @returns their log-probabilities
   *
   * @throws TypeError, RangeError: what finishLogSoftmax throws
   */
  logSoftmax<
    Chunk extends FloatArray,
    Out extends FloatArray | undefined = undefined,
    D extends DType | undefined = undefined,
  >(
    chunk: Chunk,
    options?: { readonly out?: Out; readonly dtype?: D },
  ): Result<Chunk, NoInfer<Out>, NoInfer<D>>;

  /**
   * softmax of every chunk of a source, for `for await` and for Node's pipeline: arrays for arrays, bytes for bytes.
   *
   * @param source - the logits that were pushed, once more, in chunks of any lengths
   * @returns their probabilities, chunk by chunk, by the state of the logits so far
   *
   * @throws RangeError ERR_SHAPE: bytes end within an element, now or, while it is read, at its end
   */
  softmaxOf(source: StreamSource): AsyncGenerator<StreamChunk>;

  /**
   * log-softmax of every chunk of a source, as softmaxOf has it.
   *
   * @param source - the logits that were pushed, once more, in chunks of any lengths
   * @returns their log-probabilities, chunk by chunk, by the state of the logits so far
   *
   * @throws RangeError ERR_SHAPE: bytes end within an element, now or, while it is read, at its end
   */
  logSoftmaxOf(source: StreamSource): AsyncGenerator<StreamChunk>;
}
