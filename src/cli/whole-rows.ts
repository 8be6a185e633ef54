// Rows that fit in the memory: in blocks of whole rows, each a call of this library. Its bits do not depend on what else
// is in a call, so they are those of one call over the whole array.

import { Block } from './block.js';
import type { Part, Task } from './task.js';

/** `lines` consists of whole rows' lines. */
async function computePart(task: Task, block: Block, part: Part): Promise<void> {
  const { api, functionName, temperature, header, layout } = task;
  const elements = await block.read(part);
  const compute = functionName === 'softmax' ? api.softmax : api.logSoftmax;
  compute(elements, {
    shape: [part.lines / layout.length, layout.length, part.columns],
    axis: 1,
    temperature,
    dtype: header.elementType,
    out: elements,
  });
  await block.write(part);
  task.progress(part.lines * part.columns * header.elementSize);
}

/** So many slices at a time. */
export async function computeSlices(task: Task, slices: number): Promise<void> {
  const { outer, length, inner } = task.layout;
  const block = new Block(task, Math.min(slices, outer) * length * inner);
  for (let slice = 0; slice < outer; slice += slices) {
    const lines = Math.min(slices, outer - slice) * length;
    await computePart(task, block, { line: slice * length, lines, column: 0, columns: inner });
  }
}

/** So many columns of a slice at a time. */
export async function computeColumns(task: Task, columns: number): Promise<void> {
  const { outer, length, inner } = task.layout;
  const block = new Block(task, columns * length);
  for (let slice = 0; slice < outer; slice++)
    for (let column = 0; column < inner; column += columns) {
      const width = Math.min(columns, inner - column);
      await computePart(task, block, { line: slice * length, lines: length, column, columns: width });
    }
}
