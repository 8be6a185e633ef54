// Rows that are larger than the memory given. A first pass finds each block's share of its row (shares.ts).
// The second computes the softmax within each block, in float64, times the block's share, and rounds it to the dtype.

import { allocate, Block, type Part, type Task } from './block.js';
import { type Elements, elementsOf } from './elements.js';
import { type Blocks, differenceFor, type Shares, sharesOf } from './shares.js';

/** Where exp is below the smallest normal number: 126 ln 2 and, for float64, 1022 ln 2. There softmax gives 0. */
const flushDepths = { single: 87.3365447505531, double: 708.3964185322641 };

/** Columns of a slice, from `line` of all lines on. */
interface Columns {
  readonly line: number;
  readonly column: number;
  readonly columns: number;
}

class LongRows {
  readonly #task: Task;
  readonly #lines: number;
  readonly #block: Block;
  readonly #doubles: Float64Array;
  readonly #difference: (x: number, top: number) => number;
  readonly #shares: Shares;

  constructor(task: Task, columns: number, lines: number) {
    this.#task = task;
    this.#lines = lines;
    this.#block = new Block(task, columns * lines);
    this.#doubles = new Float64Array(allocate(columns * lines * 8));
    this.#difference = differenceFor(task.temperature);
    this.#shares = sharesOf(task.functionName, task.api, task.temperature);
  }

  async compute(where: Columns): Promise<void> {
    const blocks = await this.#measure(where);
    this.#shares.share(blocks);
    await this.#write(where, blocks);
  }

  *#parts({ line, column, columns }: Columns): Generator<[Part, number]> {
    const { length } = this.#task.layout;
    for (let first = 0, index = 0; first < length; first += this.#lines, index++)
      yield [{ line: line + first, lines: Math.min(this.#lines, length - first), column, columns }, index];
  }

  /** A block as float64. */
  async #read(part: Part): Promise<{ elements: Elements; doubles: Float64Array }> {
    const array = await this.#block.read(part);
    const doubles = this.#doubles.subarray(0, array.length);
    const elements = elementsOf(array, this.#task.header.elementType);
    for (let i = 0; i < doubles.length; i++) doubles[i] = elements.load(i);
    return { elements, doubles };
  }

  #report(part: Part): void {
    this.#task.progress(part.lines * part.columns * this.#task.header.elementSize);
  }

  async #measure(where: Columns): Promise<Blocks> {
    const { columns } = where;
    const size = Math.ceil(this.#task.layout.length / this.#lines) * columns;
    const tops = new Float64Array(allocate(size * 8));
    const sums = new Float64Array(allocate(size * 8));
    const rowTops = new Float64Array(columns).fill(Number.NEGATIVE_INFINITY);
    for (const [part, index] of this.#parts(where)) {
      const { doubles } = await this.#read(part);
      const [begin, end] = [index * columns, (index + 1) * columns];
      const blockTops = tops.subarray(begin, end);
      topsOf(doubles, blockTops);
      this.#shares.sum(doubles, blockTops, sums.subarray(begin, end));
      for (let c = 0; c < columns; c++) rowTops[c] = Math.max(rowTops[c] as number, blockTops[c] as number);
      this.#report(part);
    }
    for (let c = 0; c < columns; c++) if (rowTops[c] === Number.NEGATIVE_INFINITY) rowTops[c] = Number.NaN;
    return { columns, tops, sums, rowTops };
  }

  async #write(where: Columns, { sums: shares, rowTops }: Blocks): Promise<void> {
    const { api, functionName, temperature } = this.#task;
    const compute = functionName === 'softmax' ? api.softmax : api.logSoftmax;
    const { columns } = where;
    for (const [part, index] of this.#parts(where)) {
      const { elements, doubles } = await this.#read(part);
      compute(doubles, { shape: [part.lines, columns], axis: 0, temperature, out: doubles });
      this.#store(elements, doubles, shares.subarray(index * columns, (index + 1) * columns), rowTops);
      await this.#block.write(part, this.#task.output);
      this.#report(part);
    }
  }

  /** What is within the block, and the block's share, together. */
  #store(
    { load, store }: Elements,
    doubles: Float64Array,
    shares: Float64Array,
    rowTops: Float64Array,
  ): void {
    const isSoftmax = this.#task.functionName === 'softmax';
    const nothing = isSoftmax ? 0 : Number.NEGATIVE_INFINITY;
    const lowest = -flushDepths[this.#task.header.elementType === 'float64' ? 'double' : 'single'];
    const columns = shares.length;
    for (let i = 0; i < doubles.length; i += columns)
      for (let c = 0; c < columns; c++) {
        const [within, share, top] = [doubles[i + c] as number, shares[c] as number, rowTops[c] as number];
        if (Number.isNaN(top)) store(i + c, Number.NaN);
        // A block of nothing but −Infinity, which is NaN within, among them.
        else if (share === nothing) store(i + c, nothing);
        else if (!isSoftmax) store(i + c, within + share);
        else store(i + c, this.#difference(load(i + c), top) < lowest ? 0 : within * share);
      }
  }
}

/** Each row twice: so many lines of so many columns at a time. */
export async function computeLongRows(task: Task, columns: number, lines: number): Promise<void> {
  const { outer, length, inner } = task.layout;
  const rows = new LongRows(task, columns, Math.min(lines, length));
  for (let slice = 0; slice < outer; slice++)
    for (let column = 0; column < inner; column += columns)
      await rows.compute({ line: slice * length, column, columns: Math.min(columns, inner - column) });
}

/** The largest of each column: NaN when there is a NaN or Infinity. */
function topsOf(doubles: Float64Array, tops: Float64Array): void {
  const columns = tops.length;
  tops.fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < doubles.length; i += columns)
    for (let c = 0; c < columns; c++) {
      const x = doubles[i + c] as number;
      const top = tops[c] as number;
      // A NaN is not below anything, and stays the largest.
      if (!(x <= top)) tops[c] = x < Number.POSITIVE_INFINITY && !Number.isNaN(top) ? x : Number.NaN;
    }
}
