// Rows of logits with their labels, from two files that may be larger than memory, in blocks: as float64 [rows, classes],
// in whichever order the file has them.

import { Failure, ofFile, shownName } from '../failures.js';
import type { InputFile } from '../files/input.js';
import { readPieces } from '../files/pieces.js';
import { type IntegerType, swapBytes } from '../npy/dtypes.js';
import { shownTuple } from '../npy/header.js';
import { allocate, Block } from './block.js';
import { elementsOf } from './elements.js';
import { type Layout, layoutOf } from './layout.js';

export interface LabelledRows {
  /** The number of the first. */
  readonly first: number;
  /** [rows, classes]. Valid until the next block is read. */
  readonly logits: Float64Array;
  /** A class for each row, or −1: ignored. */
  readonly labels: Int32Array;
}

const labelArrays = {
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array },
} as const;

/** Elements at once, at least a row: more is not faster. */
export const elementsOfBlock = 2 ** 18;

export class LabelledFiles {
  readonly rows: number;
  readonly classes: number;
  /** Bytes of a pass over the logits. */
  readonly size: number;
  readonly #logits: InputFile;
  readonly #labels: InputFile<IntegerType>;
  readonly #layout: Layout;
  readonly #ignored: number;

  /** `ignored`: the label of rows that are left out. */
  constructor(logits: InputFile, labels: InputFile<IntegerType>, ignored: number) {
    [this.#logits, this.#labels, this.#ignored] = [logits, labels, ignored];
    const { shape } = logits.header;
    const [rows, classes] = shape as [number, number];
    const [labelCount] = labels.header.shape as [number];
    ofFile(logits.file, () => {
      if (shape.length !== 2)
        throw new Failure(`its shape ${shownTuple(shape)} is not 2-dimensional: (rows, classes) is wanted`);
      if (rows === 0 || classes === 0) throw new Failure(`its shape ${shownTuple(shape)} has no elements`);
      // Labels are int32 here.
      if (classes >= 2 ** 31) throw new Failure(`its ${classes} classes are more than 2147483647`);
    });
    ofFile(labels.file, () => {
      const shown = shownTuple(labels.header.shape);
      if (labels.header.shape.length !== 1)
        throw new Failure(`its shape ${shown} is not 1-dimensional: one label per row is wanted`);
      if (labelCount !== rows)
        throw new Failure(`it has ${labelCount} labels, but ${shownName(logits.file)} has ${rows} rows`);
    });
    this.#layout = layoutOf(logits.header, 1);
    [this.rows, this.classes, this.size] = [rows, classes, logits.header.dataSize];
  }

  /** All rows in their order. */
  async *blocks(elements = elementsOfBlock): AsyncGenerator<LabelledRows> {
    const { classes } = this;
    const most = Math.min(this.rows, Math.max(1, Math.floor(elements / classes)));
    const block = new Block(
      { header: this.#logits.header, layout: this.#layout, input: this.#logits },
      most * classes,
    );
    const doubles = new Float64Array(allocate(most * classes * 8));
    for (let first = 0; first < this.rows; first += most) {
      const count = Math.min(most, this.rows - first);
      const logits = doubles.subarray(0, count * classes);
      await this.#readLogits(block, first, logits);
      yield { first, logits, labels: await this.#readLabels(first, count) };
    }
  }

  async #readLogits(block: Block, first: number, logits: Float64Array): Promise<void> {
    const { classes } = this;
    const rows = logits.length / classes;
    const { elementType, isFortranOrder } = this.#logits.header;
    const array = await block.read(
      isFortranOrder
        ? { line: 0, lines: classes, column: first, columns: rows }
        : { line: first * classes, lines: rows * classes, column: 0, columns: 1 },
    );
    if (array instanceof Uint16Array || isFortranOrder) {
      const { load } = elementsOf(array, elementType);
      const [step, next] = isFortranOrder ? [rows, 1] : [1, classes];
      for (let row = 0, i = 0; row < rows; row++)
        for (let c = 0; c < classes; c++, i++) logits[i] = load(row * next + c * step);
    } else logits.set(array);
  }

  async #readLabels(first: number, count: number): Promise<Int32Array> {
    const { header, file } = this.#labels;
    const { elementSize, elementType, dataOffset } = header;
    const size = count * elementSize;
    const bytes = Buffer.from(new ArrayBuffer(size));
    const position = dataOffset + first * elementSize;
    await readPieces(this.#labels, bytes, { position, count: 1, size, distance: size });
    swapBytes(bytes, header);
    const given = new labelArrays[elementType](bytes.buffer as ArrayBuffer) as ArrayLike<number | bigint>;
    const labels = new Int32Array(count);
    for (let row = 0; row < count; row++) {
      const label = Number(given[row]);
      if (label === this.#ignored) labels[row] = -1;
      else if (label >= 0 && label < this.classes) labels[row] = label;
      else
        throw new Failure(
          `${shownName(file)}: the label of row ${first + row}, ${given[row]}, is neither in [0, ${this.classes}) nor ` +
            `the ignored ${this.#ignored}`,
        );
    }
    return labels;
  }
}
