// A row that comes in chunks: its blocks are summed as they are full, so that a chunk and a block are all that is kept.

import { BlockField, blockFields, fieldsBeforeBlocks } from '../../backends/block-fields.js';
import { scalingOf } from '../../backends/js/scaling.js';
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
import { join, newStack, push, writeNodes } from './nodes.js';
import { newState, nodesAt, type Range, RowField, rowAt, type State } from './state.js';
import { bytesOf, endsWithin, finishedChunks } from './stream-chunks.js';

const known = knownOptions('SoftmaxStream', ['dtype', 'temperature', 'scale']).sync;

/** As many blocks of a chunk are summed by one call of the kernel. */
const mostBlocks = 64;
/** Beyond, there may be too many classes. */
const mostPlain = 2 ** 31 / blockSize - 1;
/** 2¹⁹ blocks are more than there are class numbers for; one more is not full. */
const mostLevels = 21;

/** What a stream calls, of the entry point that it is of. */
export type StreamFunctions = Readonly<
  Record<'finishLogSumExp' | 'finishSoftmax' | 'finishLogSoftmax', PublicFunction>
>;

/** The class of one entry point. */
export function streamClass(kernels: Kernels, functions: StreamFunctions) {
  const blockSums = kernels.arrays({ name: 'blockSums', js: blockSumsRows });
  const { finishLogSumExp, finishSoftmax, finishLogSoftmax } = functions;

  class SoftmaxStream {
    readonly #dtype: DType;
    readonly #multiplier: number;
    readonly #scaling;
    /** The nodes of the blocks so far, a binary counter, and how many blocks each has. */
    readonly #nodes = newStack(mostLevels);
    readonly #sizes: number[] = [];
    #blocks = 0;
    #argMax = -1;
    #top = Number.NEGATIVE_INFINITY;
    /** Less than a block that has come, as bytes too: a chunk of bytes may end anywhere. */
    readonly #rest: Elements;
    readonly #restBytes: Uint8Array;
    readonly #elementSize: number;
    #restLength = 0;
    readonly #fields = new Float64Array(fieldsBeforeBlocks + mostBlocks * blockFields);
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
        this.#rest = allocate(this.#dtype, blockSize, true);
        this.#restBytes = bytesOf(this.#rest.data);
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
        const count = Math.min(mostBlocks, Math.floor((length - at) / blockSize)) * blockSize;
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
      const whole = this.#restBytes.length;
      for (let at = 0; at < length; ) {
        const count = Math.min(whole - this.#restLength, length - at);
        copyElements(bytes.subarray(at, at + count), this.#restBytes.subarray(this.#restLength));
        this.#restLength += count;
        at += count;
        if (this.#restLength < whole) return;
        this.#addBlocks(this.#rest.data, blockSize);
        this.#restLength = 0;
      }
    }

    /** The fields of blocks, at most mostBlocks. */
    #sum(data: Elements['data'], length: number): void {
      const count = fieldsBeforeBlocks + Math.ceil(length / blockSize) * blockFields;
      if (this.#dtype === 'float32' && this.#multiplier === 1 && kernels.blockSums) {
        kernels.blockSums(data as Float32Array, length, this.#fields, count, this.#top);
        return;
      }
      const rows = { outer: 1, length, inner: 1, mask: undefined, multiplier: this.#multiplier };
      const x: Elements = { data, dtype: this.#dtype };
      blockSums([x, undefined, { data: this.#fields, dtype: 'float64' }], [count, this.#top], rows);
    }

    #addBlocks(data: Elements['data'], length: number): void {
      const fields = this.#fields;
      this.#sum(data, length);
      this.#findArgMax(length);
      for (let i = 0, at = fieldsBeforeBlocks; i * blockSize < length; i++, at += blockFields) {
        let depth = this.#sizes.length;
        push(this.#nodes, depth, fields, at, this.#scaling);
        let size = 1;
        for (; depth > 0 && this.#sizes[depth - 1] === size; size *= 2) {
          depth--;
          join(this.#nodes, depth, this.#scaling);
          this.#sizes.length--;
        }
        this.#sizes.push(size);
        this.#blocks++;
      }
    }

    /** Of blocks that were just summed, before they are counted. The kernel looks for what is above the largest so far. */
    #findArgMax(length: number): void {
      const fields = this.#fields;
      const found = fields[0] as number;
      if (found < 0) return;
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
      const nodes: Range[] = [];
      let begin = 0;
      for (const size of this.#sizes) {
        nodes.push({ begin, end: begin + size * blockSize });
        begin += size * blockSize;
      }
      if (rest > 0) nodes.push({ begin, end: length });
      const state = newState({
        isDouble: this.#dtype === 'float64',
        rows: 1,
        hasTarget: false,
        classes: 0,
        nodes,
      });
      const before = { top: this.#top, argMax: this.#argMax };
      const { numbers } = state;
      if (rest > 0) {
        this.#sum(partOf(this.#rest.data, 0, rest) as Elements['data'], rest);
        this.#findArgMax(rest);
        push(this.#nodes, this.#sizes.length, this.#fields, fieldsBeforeBlocks, this.#scaling);
      }
      writeNodes(this.#nodes, nodes.length, numbers, nodesAt(state, 0));
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
      return (finishLogSumExp(this.#current().numbers) as Float64Array)[0] as number;
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
