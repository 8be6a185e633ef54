// A row that comes in chunks: its blocks are summed as they are full, so that a chunk and a block are all that is kept.

import { BlockField, blockFields, fieldsBeforeBlocks, mostPlainBlocks } from '../../backends/block-fields.js';
import { canonical, scalingOf } from '../../backends/js/scaling.js';
import { blockSumsRows } from '../../backends/js/shards.js';
import { isAbove } from '../../backends/js/tokens/selection.js';
import { blockSize } from '../../backends/js/tree.js';
import type { DType, Elements, Kernels } from '../../backends/kernels.js';
import { formatValue, inFunction, rangeError, typeError } from '../../errors.js';
import { allocate, dtypeOption, partOf, sizeOfElement } from '../../problem/dtypes.js';
import { knownOptions } from '../../problem/option-names.js';
import { defaults, optionsOf } from '../../problem/options.js';
import { maximumClasses } from '../../problem/rows.js';
import { multiplierOf, requireScale } from '../../problem/temperature.js';
import { readOperand, requireOwnShape } from '../../problem/tensors.js';
import { copyElements, kindOf, lengthOf, rawLengthOf } from '../../typed-arrays.js';
import type { PublicFunction } from '../operation.js';
import { copyNode, join, joinRun, putNode } from './nodes.js';
import { newState, nodesAt, nodesOf, RowField, requireNoLimit, rowAt, type State } from './state.js';
import { bytesOf, endsWithin, finishedChunks } from './stream-chunks.js';
import { logSumExpOfState } from './totals.js';

const known = knownOptions('SoftmaxStream', ['dtype', 'temperature', 'scale']).sync;

/** Beyond, there may be too many classes. */
const mostPlain = 2 ** 31 / blockSize - 1;
/** So many blocks are joined at once: after each of them, the processor would have forgotten how. */
const groupBlocks = 16;
/** 2¹⁹ blocks are more than there are class numbers for: nodes of groups, and a group. */
const mostNodes = 16 + groupBlocks;

/** What a stream calls, of the entry point that it is of. */
export type StreamFunctions = Readonly<Record<'finishSoftmax' | 'finishLogSoftmax', PublicFunction>>;

/** The class of one entry point. */
export function streamClass(kernels: Kernels, functions: StreamFunctions) {
  const blockSums = kernels.arrays({ name: 'blockSums', js: blockSumsRows });
  const { finishSoftmax, finishLogSoftmax } = functions;
  /** Of the blocks that were just summed, of whichever stream. */
  const ownFields = new Float64Array(fieldsBeforeBlocks + mostPlainBlocks * blockFields);
  /** Of the stream that is asked for its state. */
  const nodes = new Float64Array(mostNodes * blockFields);

  class SoftmaxStream {
    readonly #dtype: DType;
    readonly #multiplier: number;
    readonly #scaling;
    /** The nodes of whole groups so far, each of as many as a bit of their number; then the blocks of the next group. */
    readonly #nodes = new Float64Array(mostNodes * blockFields);
    /** Where the blocks begin. */
    #begin = 0;
    #blocks = 0;
    #argMax = -1;
    #top = Number.NEGATIVE_INFINITY;
    /** Less than a block that has come, once there is some. */
    #rest: Elements | undefined;
    /** In bytes: a chunk of bytes may end anywhere. */
    #restLength = 0;
    readonly #elementSize: number;
    /** Of the logits so far; undefined: not made since the last of them. */
    #state: State | undefined;

    constructor(options?: unknown) {
      try {
        const given = optionsOf(options, known);
        const { temperature = defaults.temperature, scale = defaults.scale } = given;
        this.#dtype = dtypeOption(given.dtype) ?? 'float32';
        if (typeof temperature !== 'number') {
          const message = `temperature must be a number, got ${formatValue(temperature)}`;
          throw typeError('ERR_TEMPERATURE', message, { argument: 'temperature', value: temperature });
        }
        requireScale(scale);
        const use = { dtype: this.#dtype, hasLimit: true };
        this.#multiplier = multiplierOf(use, temperature, scale, 1) as number;
        this.#scaling = scalingOf(this.#multiplier, this.#dtype === 'float64');
        this.#elementSize = sizeOfElement(this.#dtype);
      } catch (error) {
        throw inFunction('SoftmaxStream', error);
      }
    }

    get length(): number {
      return this.#blocks * blockSize + Math.floor(this.#restLength / this.#elementSize);
    }

    push(chunk: unknown): this {
      this.#state = undefined;
      try {
        const kind = kindOf(chunk);
        if (kind === 'Uint8Array') this.#pushBytes(bytesOf(chunk));
        else if (kind === 'Float32Array' && this.#isBlock(chunk))
          this.#addBlocks(chunk as Float32Array, blockSize);
        else this.#pushElements(chunk);
      } catch (error) {
        throw inFunction('push', error);
      }
      return this;
    }

    /** What most chunks are, if they are many: a block that follows on others. */
    #isBlock(chunk: unknown): boolean {
      if (this.#restLength > 0 || this.#dtype !== 'float32' || this.#blocks >= mostPlain) return false;
      return rawLengthOf(chunk) === blockSize;
    }

    #requireRoom(elements: number): void {
      if (this.length + elements <= maximumClasses) return;
      const message = `chunk ends at class ${this.length + elements}; class indices go to ${maximumClasses}`;
      throw rangeError('ERR_SHAPE', message, { argument: 'chunk', value: elements });
    }

    #pushElements(chunk: unknown): void {
      const { data, dtype, tensor } = readOperand('chunk', chunk, this.#dtype);
      if (dtype !== this.#dtype) {
        const message = `chunk is ${dtype}, but the stream is ${this.#dtype}`;
        throw typeError('ERR_DTYPE', message, { argument: 'chunk', value: dtype });
      }
      const length = requireOwnShape('chunk', data, tensor);
      this.#requireRoom(length);
      this.#requireWholeElements();
      let at = 0;
      while (this.#restLength === 0 && length - at >= blockSize) {
        const count = Math.min(mostPlainBlocks, Math.floor((length - at) / blockSize)) * blockSize;
        this.#addBlocks(count === length ? data : (partOf(data, at, count) as Elements['data']), count);
        at += count;
      }
      if (at < length) this.#pushBytes(bytesOf(data).subarray(at * this.#elementSize));
    }

    #requireWholeElements(): void {
      const rest = this.#restLength % this.#elementSize;
      if (rest !== 0) throw endsWithin(rest);
    }

    #pushBytes(bytes: Uint8Array): void {
      const length = lengthOf('chunk', bytes);
      this.#requireRoom(length / this.#elementSize);
      if (length === 0) return;
      this.#rest ??= allocate(this.#dtype, blockSize, true);
      const rest = bytesOf(this.#rest.data);
      for (let at = 0; at < length; ) {
        const count = Math.min(rest.length - this.#restLength, length - at);
        copyElements(bytes.subarray(at, at + count), rest.subarray(this.#restLength));
        this.#restLength += count;
        at += count;
        if (this.#restLength < rest.length) return;
        this.#addBlocks(this.#rest.data, blockSize);
        this.#restLength = 0;
      }
    }

    /** The fields of blocks, at most mostPlainBlocks, until the next call. */
    #sum(data: Elements['data'], length: number): Float64Array {
      const count = fieldsBeforeBlocks + Math.ceil(length / blockSize) * blockFields;
      if (this.#dtype === 'float32' && this.#multiplier === 1 && kernels.blockSums)
        return kernels.blockSums(data as Float32Array, length, count, this.#top);
      const rows = { outer: 1, length, inner: 1, mask: undefined, multiplier: this.#multiplier };
      const x: Elements = { data, dtype: this.#dtype };
      blockSums([x, undefined, { data: ownFields, dtype: 'float64' }], [count, this.#top], rows);
      return ownFields;
    }

    #addBlocks(data: Elements['data'], length: number): void {
      const fields = this.#sum(data, length);
      if ((fields[0] as number) >= 0) this.#findArgMax(fields, length);
      for (let i = 0, at = fieldsBeforeBlocks; i < length; i += blockSize, at += blockFields) {
        copyNode(fields, at, this.#nodes, this.#begin + (this.#blocks % groupBlocks) * blockFields);
        this.#blocks++;
        if (this.#blocks % groupBlocks === 0) this.#joinGroup();
      }
    }

    #joinGroup(): void {
      joinRun(this.#nodes, this.#begin, this.#begin + groupBlocks * blockFields, this.#scaling);
      // Carries of a binary counter.
      for (let groups = this.#blocks / groupBlocks; groups % 2 === 0; groups /= 2) {
        this.#begin -= blockFields;
        join(this.#nodes, this.#begin, this.#begin + blockFields, this.#scaling);
      }
      this.#begin += blockFields;
    }

    /** Of blocks that were just summed, before they are counted. The kernel looks for what is above the largest so far. */
    #findArgMax(fields: Float64Array, length: number): void {
      const found = fields[0] as number;
      let top = Number.NEGATIVE_INFINITY;
      for (let i = 0, at = fieldsBeforeBlocks; i * blockSize < length; i++, at += blockFields) {
        if (Number.isNaN(fields[at + BlockField.sum])) top = Number.NaN;
        else if ((fields[at + BlockField.top] as number) > top) top = fields[at + BlockField.top] as number;
      }
      if (this.#argMax >= 0 && !isAbove(top, this.#top)) return;
      this.#top = top;
      this.#argMax = this.#blocks * blockSize + found;
    }

    state(): Float64Array {
      return this.#current().numbers.slice();
    }

    #current(): State {
      try {
        this.#state ??= this.#newState();
        return this.#state;
      } catch (error) {
        throw inFunction('state', error);
      }
    }

    #newState(): State {
      this.#requireWholeElements();
      const { length } = this;
      const rest = length - this.#blocks * blockSize;
      const state = newState({
        isDouble: this.#dtype === 'float64',
        rows: 1,
        hasTarget: false,
        classes: 0,
        nodes: nodesOf(0, length),
      });
      const before = { top: this.#top, argMax: this.#argMax };
      const { numbers } = state;
      nodes.set(this.#nodes);
      if (this.#rest && rest > 0) {
        const fields = this.#sum(partOf(this.#rest.data, 0, rest) as Elements['data'], rest);
        if ((fields[0] as number) >= 0) this.#findArgMax(fields, rest);
        copyNode(fields, fieldsBeforeBlocks, nodes, this.#begin + (this.#blocks % groupBlocks) * blockFields);
      }
      let [at, to] = [0, nodesAt(state, 0)];
      for (const { begin, end } of state.nodes) {
        const next = at + (at < this.#begin ? 1 : Math.ceil((end - begin) / blockSize)) * blockFields;
        joinRun(nodes, at, next, this.#scaling);
        putNode(nodes, at, numbers, to);
        at = next;
        to += blockFields;
      }
      const row = rowAt(state, 0);
      numbers[row + RowField.multiplier] = this.#multiplier;
      numbers[row + RowField.argMax] = this.#argMax;
      numbers[row + RowField.target] = -1;
      numbers[row + RowField.targetLogit] = Number.NaN;
      // More of this block may come, which is then summed anew.
      this.#top = before.top;
      this.#argMax = before.argMax;
      return state;
    }

    logSumExp(): number {
      const state = this.#current();
      try {
        requireNoLimit('state', state);
      } catch (error) {
        throw inFunction('logSumExp', error);
      }
      const value = canonical(logSumExpOfState(state, 0, this.#scaling));
      return state.isDouble ? value : Math.fround(value);
    }

    argMax(): number {
      const state = this.#current();
      return state.numbers[rowAt(state, 0) + RowField.argMax] as number;
    }

    softmax(chunk: unknown, options?: unknown): unknown {
      return finishSoftmax(chunk, this.#current().numbers, this.#optionsFor(options));
    }

    logSoftmax(chunk: unknown, options?: unknown): unknown {
      return finishLogSoftmax(chunk, this.#current().numbers, this.#optionsFor(options));
    }

    async read(source: AsyncIterable<unknown> | Iterable<unknown>): Promise<this> {
      for await (const chunk of source) this.push(chunk);
      return this;
    }

    softmaxOf(source: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown> {
      return this.#finished(source, finishSoftmax);
    }

    logSoftmaxOf(source: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<unknown> {
      return this.#finished(source, finishLogSoftmax);
    }

    #finished(source: AsyncIterable<unknown> | Iterable<unknown>, finish: PublicFunction) {
      const { numbers } = this.#current();
      return finishedChunks(source, this.#dtype, (chunk, out) =>
        finish(chunk, numbers, this.#optionsFor({ out })),
      );
    }

    /** Bare arrays of 16 bits do not say what they hold. */
    #optionsFor(options: unknown): unknown {
      if (this.#elementSize !== 2 || typeof (options ?? {}) !== 'object') return options;
      return { dtype: this.#dtype, ...(options as object) };
    }
  }
  return SoftmaxStream;
}
