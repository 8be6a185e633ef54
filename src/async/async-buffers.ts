// The memory of an asynchronous call, out of its caller's reach: copies of the inputs, or their own memory where the
// caller gives it up, or shares it between threads anyhow. Results are computed over an input where they fit. Between
// the checks of a call and this no user code (getters, proxies) may run.

import type { Elements } from '../backends/kernels.js';
import { rangeError, typeError } from '../errors.js';
import { type Move, mover } from '../host.js';
import type { Call, Memory } from '../problem/call.js';
import { copyOf, isHalf, viewOf, writeElements } from '../problem/dtypes.js';
import { givenArrayOf } from '../problem/layout-memory.js';
import { type Destination, elementsOf, type GivenDestination, requireRoom } from '../problem/outputs.js';
import type { RowProblem } from '../problem/rows.js';
import type { Input } from '../problem/tensors.js';
import {
  allocateOrThrow,
  bufferOf,
  byteOffsetOf,
  isDetached,
  isShared,
  isSharing,
  kindOf,
  rawLengthOf,
} from '../typed-arrays.js';
import { giveBack, spareCopyOf, spareLike } from './buffer-pool.js';

/** The memory of one call. */
export interface AsyncBuffers extends Memory {
  /** The rows of the call, with a copy of their mask. */
  readonly rows: RowProblem;
  /** Once all is computed: writes results to what the caller gave for them, unless any of that is gone. */
  deliver(): void;
}

/** `isTransfer`: inputs are taken from the caller. `isInline`: outputs are written before the caller goes on. */
export function asyncBuffers(call: Call, isTransfer: boolean, isInline: boolean): AsyncBuffers {
  const { inputs } = call;
  const rows = withOwnMask(call.rows);
  const isReplaceable = inputs.map((input, index) => index < call.replaceable && isAlone(input, inputs));
  // A copy that may become a new result is the caller's in the end; any other is used again.
  const mayBeResult = (elements: Elements): boolean =>
    call.outputs.some((output) => output.operand === undefined && fits(elements, output));
  const spare: Elements[] = [];
  const copied = ({ operand }: Input, index: number): Elements => {
    if (isInline || (isReplaceable[index] && mayBeResult(operand))) return copyOf(operand);
    const copy = spareCopyOf(operand);
    spare.push(copy);
    return copy;
  };
  const own = isTransfer ? taken(call) : inputs.map((input, i) => untouchable(input) ?? copied(input, i));
  const free = own.filter((elements, i) => isReplaceable[i] && elements !== inputs[i]?.operand);
  const elementsOfInput = new Map(inputs.map(({ operand }, i) => [operand, own[i]]));
  const computed: [GivenDestination, Elements][] = [];
  return {
    rows,
    input: (operand) => elementsOfInput.get(operand) as Elements,
    output(destination) {
      if (isInline && destination.operand) return destination.operand;
      const index = free.findIndex((elements) => fits(elements, destination));
      let [elements] = index < 0 ? [] : free.splice(index, 1);
      if (elements === undefined && destination.operand) {
        elements = spareLike(destination.operand);
        spare.push(elements);
      }
      elements ??= elementsOf(destination);
      const { operand } = destination;
      if (operand) computed.push([{ ...destination, operand }, elements]);
      return elements;
    },
    deliver() {
      for (const [destination] of computed) requireRoom(destination);
      for (const [{ operand }, elements] of computed) writeElements(elements, operand);
      for (const elements of spare) giveBack(elements);
    },
  };
}

/** A mask may be the caller's memory; all else of the rows is not. */
function withOwnMask(rows: RowProblem): RowProblem {
  const { mask } = rows;
  if (mask === undefined) return rows;
  const data = allocateOrThrow(rawLengthOf(mask.data), () => new Uint8Array(mask.data));
  return { ...rows, mask: { ...mask, data } };
}

/** Whether no other input has any of its memory, which would change under it. */
const isAlone = (input: Input, inputs: readonly Input[]): boolean =>
  inputs.every((other) => other === input || !isSharing(other.operand.data, input.operand.data));

/** Whether a result may be computed in the memory of an input. */
const fits = ({ data, dtype }: Elements, { dtype: wanted, elements, operand, like }: Destination): boolean =>
  dtype === wanted &&
  rawLengthOf(data) === elements &&
  (operand !== undefined || !isHalf(dtype) || kindOf(data) === kindOf(like.data));

/** An input in shared memory is used where it is, as is the copy of one that had a layout. */
const untouchable = ({ operand }: Input): Elements | undefined =>
  operand.tensor?.layout || isShared(bufferOf(operand.data)) ? operand : undefined;

/** The inputs in the buffers that they were in, which the caller has no longer. */
function taken({ inputs, outputs }: Call): Elements[] {
  const owners = new Map<ArrayBufferLike, string>();
  for (const input of inputs) {
    const buffer = bufferOf(givenArrayOf(input.operand));
    if (!isShared(buffer) && !owners.has(buffer)) owners.set(buffer, input.argument);
  }
  for (const { argument, operand } of outputs) {
    const owner = operand && owners.get(bufferOf(givenArrayOf(operand)));
    if (owner === undefined) continue;
    const message = `${argument} is in the buffer of ${owner}, which transfer gives up`;
    throw rangeError('ERR_OUT_OVERLAP', message, { argument });
  }
  // Detached arrays have no places any more.
  const places = inputs.map(({ operand: { data } }) => [byteOffsetOf(data), rawLengthOf(data)] as const);
  const before = inputs.map(({ operand }) => bufferOf(operand.data));
  const buffers = [...owners.keys()];
  const moved = movedBuffers(owners);
  return inputs.map(({ operand }, i) => {
    if (operand.tensor?.layout) return operand;
    const buffer = moved[buffers.indexOf(before[i] as ArrayBufferLike)];
    const [byteOffset, length] = places[i] as readonly [number, number];
    return buffer ? viewOf(operand, buffer, byteOffset, length) : operand;
  });
}

/** All of the buffers, or none and an error. */
function movedBuffers(owners: ReadonlyMap<ArrayBufferLike, string>): ArrayBufferLike[] {
  const buffers = [...owners.keys()];
  if (buffers.length === 0) return [];
  const move = mover();
  const fail = (argument: string): never => {
    const message = `the buffer of ${argument} can't be transferred`;
    throw typeError('ERR_OPTION', message, { argument });
  };
  if (buffers.length > 1)
    for (const [buffer, argument] of owners) if (!isTransferable(buffer, move)) fail(argument);
  let moved: ArrayBufferLike[] = [];
  try {
    moved = move(buffers, buffers);
  } catch {
    fail(owners.get(buffers[0] as ArrayBufferLike) as string);
  }
  // Node 20 copies what can't be transferred.
  for (const [buffer, argument] of owners) if (!isDetached(buffer)) fail(argument);
  return moved;
}

/**
 * Whether structuredClone could transfer a buffer, without doing it, which takes longer than to do it: a value that can't
 * be cloned is looked at after the list of what to transfer, which is refused for what can't be transferred or, by Node 20,
 * skips it, even twice.
 */
const isTransferable = (buffer: ArrayBufferLike, move: Move): boolean =>
  isAccepted([buffer], move) && !isAccepted([buffer, buffer], move);

function isAccepted(list: ArrayBufferLike[], move: Move): boolean {
  let isReached = false;
  const value = {
    get unclonable() {
      isReached = true;
      throw new Error('only looked at');
    },
  };
  try {
    move(value, list);
  } catch {}
  return isReached;
}
