// The caller's side of one call: arrays in memory, objects, what is wrong with them. Each function that is to be compared
// gets such a world of its own, with the same bytes in it.

import { badNames, badValues, placesOf } from './faults.js';
import { arrayNameOf, kindOf, type Layout, layoutOf, once, storedOf } from './layout.js';
import { type AnyArray, hostileReads, type Placed, place } from './memory.js';
import { type ArrayPlan, badMemories, type CallPlan, type FloatKind, type MemoryKind } from './plan.js';
import { Traps } from './traps.js';
import { floatsOf } from './values.js';

interface Fault {
  readonly place: string;
  readonly value: string;
}

export function faultOf({ fault, fn }: CallPlan): Fault | undefined {
  if (fault === undefined) return undefined;
  const places = placesOf(fn);
  const place = places[fault.where % places.length] as string;
  // Of rows without elements, and of draws, there may be billions, and as many results: right, but for minutes. Without a
  // seed every backend has one of its own.
  const isCount = place === 'options.shape[0]' || place === 'options.count';
  const isRandomness = place === 'options.seed' || place === 'options.uniform';
  const never = isCount ? ['2 ** 31', '2 ** 32'] : isRandomness ? ['undefined'] : [];
  const names = never.length > 0 ? badNames.filter((name) => !never.includes(name)) : badNames;
  const values: readonly string[] = place.startsWith('memory of ') ? badMemories : names;
  return { place, value: values[fault.what % values.length] as string };
}

const tensorFields = [
  ...['data', 'dims', 'shape', 'type', 'dtype', 'location'],
  ...['stride', 'strides', 'offset', 'fortranOrder', 'order'],
];

/** The fields that say where the elements of a shape are, in an array that has no others. */
function arrangementOf({ arrangement, seed }: ArrayPlan, shape: readonly number[]): Record<string, unknown> {
  if (arrangement === 'none') return {};
  if (arrangement === 'fortranOrder') return { fortranOrder: true };
  if (arrangement === 'order') return { order: seed & 1 ? 'F' : 'column-major' };
  const axes = shape.map((_, axis) => axis).reverse();
  // Turned round, and the first two of them swapped.
  if (arrangement === 'permuted') axes.push(...axes.splice(0, seed % (axes.length || 1)));
  if (arrangement === 'permuted' && seed & 1) axes.unshift(...axes.splice(1, 1));
  const strides = shape.map(() => 1);
  let offset = 0;
  let stride = 1;
  for (const axis of axes) {
    const size = shape[axis] as number;
    const isBackwards = arrangement === 'reversed' && (seed >> axis) & 1 && size > 0;
    strides[axis] = isBackwards ? -stride : stride;
    if (isBackwards) offset += (size - 1) * stride;
    stride *= Math.max(1, size);
  }
  if (!Number.isSafeInteger(offset) || !strides.every(Number.isSafeInteger)) return {};
  return { [seed & 2 ? 'strides' : 'stride']: strides, ...(offset > 0 || seed & 4 ? { offset } : {}) };
}

/** What a caller's code may do in the middle of a call. */
function callAnother(api: Readonly<Record<string, unknown>>): void {
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);
  const call = (name: string, ...given: unknown[]) =>
    (api[name] as (...given: unknown[]) => unknown)(...given);
  call('softmax', x, { shape: [2, 3], out: x });
  call('crossEntropy', x, Int32Array.of(1, 0), { shape: [2, 3], grad: x });
  call('partial', x, { shape: [2, 3] });
  call('sample', x, { shape: [2, 3], seed: 1, out: { tokens: new Int32Array(2) } });
}

export class World {
  readonly layout: Layout;
  readonly fault: Fault | undefined;
  readonly traps: Traps;
  readonly placed: Placed[] = [];
  /** Those that results may be written to. */
  readonly outputs: Placed[] = [];
  /** What the caller's objects are called where worlds are compared. */
  readonly names = new Map<unknown, string>();

  readonly plan: CallPlan;
  /** The functions that make what the called one is given. */
  readonly api: Readonly<Record<string, unknown>>;

  constructor(plan: CallPlan, api: Readonly<Record<string, unknown>>) {
    this.plan = plan;
    this.api = api;
    this.layout = layoutOf(plan);
    this.fault = plan.fault && once(plan, 'fault', () => faultOf(plan));
    this.traps = new Traps(plan.trap, this.placed, () => callAnother(api));
  }

  /** What belongs in a place, or the bad value that is there instead. */
  put(place: string, value: unknown): unknown {
    if (this.fault?.place !== place) return value;
    const bad = badValues[this.fault.value]?.((what) => hostileReads.push(what));
    if ((typeof bad === 'object' && bad !== null) || typeof bad === 'function')
      this.names.set(bad, `the bad value of ${place}`);
    return bad;
  }

  /** Elements in memory. */
  place(name: string, kind: string, elements: AnyArray, { memory, before }: ArrayPlan): Placed {
    const isBad = this.fault?.place === `memory of ${name}`;
    return this.keep(place(name, kind, elements, isBad ? (this.fault?.value as MemoryKind) : memory, before));
  }

  keep(placed: Placed): Placed {
    this.placed.push(placed);
    this.names.set(placed.array, placed.name);
    return placed;
  }

  /** Floats in memory, of the kind that the plan says or of another. */
  placeFloats(name: string, plan: ArrayPlan, length: number, kind: FloatKind): Placed {
    const values = once(this.plan, `floats of ${name}`, () =>
      floatsOf(storedOf(kind), plan.palette, plan.seed, length),
    );
    return this.place(name, arrayNameOf(kind), values, plan);
  }

  /** An array as its plan says: bare, or in a tensor. */
  contain(placed: Placed, plan: ArrayPlan, type: string, shape: readonly number[]): unknown {
    const { name, array } = placed;
    if (plan.container === 'bare') return this.put(name, array);
    const [shapeName, typeName] = plan.container === 'dims' ? ['dims', 'type'] : ['shape', 'dtype'];
    const fields: Record<string, unknown> = {
      data: array,
      [shapeName]: this.traps.array(`${name}.${shapeName}`, shape),
    };
    Object.assign(fields, arrangementOf(plan, shape));
    if (plan.says) fields[typeName] = type;
    if (plan.seed % 8 === 0) fields.location = 'cpu';
    for (const field of tensorFields)
      if (this.fault?.place === `${name}.${field}`) fields[field] = this.put(`${name}.${field}`, undefined);
    const tensor = this.traps.object(name, fields, plan.form);
    this.names.set(tensor, `${name}, the tensor`);
    return this.put(name, tensor);
  }

  /** Floats as an argument. */
  floats(name: string, plan: ArrayPlan, length: number, shape: readonly number[]): unknown {
    const kind = kindOf(plan, this.layout.isDouble);
    return this.contain(this.placeFloats(name, plan, length, kind), plan, storedOf(kind), shape);
  }

  placedOf(name: string): Placed | undefined {
    return this.placed.find((placed) => placed.name === name);
  }
}
