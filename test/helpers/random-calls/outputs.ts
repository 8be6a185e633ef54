// The outputs of a call, from its plan, and the sizes of results.

import { outShape } from '../signatures.js';
import { signatureOf } from './functions.js';
import { arrayNameOf, kindOf, storedOf } from './layout.js';
import { shifted } from './memory.js';
import type { CallPlan, OutPlan } from './plan.js';
import { drawsOf, topOf } from './sampling.js';
import { longestArray, wordsOf } from './values.js';
import type { World } from './world.js';

/** Of tokenLogProbs a row may have several; undefined: one, and no axis for it. */
export const tokensOf = ({ fn, target, places }: CallPlan): number | undefined =>
  fn === 'tokenLogProbs' && target.array.seed % 2 === 0 ? Math.min(places, 20) : undefined;

/** The shape of the input with so many places along the axis, or without it. */
export const withPlaces = (
  { layout: { sizes, axis } }: World,
  places: number | undefined,
): readonly number[] =>
  places === undefined || sizes.length === 0
    ? sizes.filter((_, other) => other !== axis)
    : sizes.with(axis, places);

export function outputOf(
  world: World,
  name: string,
  out: OutPlan | undefined,
  sizes: readonly number[],
  holds: string | undefined = signatureOf(world.plan.fn).holds,
): unknown {
  const { plan, layout } = world;
  const isLoss = !name.startsWith('out');
  if (out === undefined) return undefined;
  if (out.how === 'new') return isLoss ? true : undefined;
  const [first] = plan.inputs;
  const input = world.placedOf(signatureOf(plan.fn).inputs[0] as string);
  const inputKind = kindOf(first, layout.isDouble);
  if (input && out.how !== 'own') {
    const shift = out.how === 'overlap' ? -1 : 0;
    const place =
      out.how === 'input' ? { ...input, name } : shifted({ ...input, name }, arrayNameOf(inputKind), shift);
    world.outputs.push(place);
    if (out.how !== 'input') world.keep(place);
    // The same container: what only the option names stays named by it.
    return world.contain(place, { ...first, form: out.array.form }, storedOf(inputKind), sizes);
  }
  const own = kindOf(out.array, layout.isDouble);
  const isWide = signatureOf(plan.fn).result === 'tokens' && storedOf(own).endsWith('float16');
  const wanted = isWide ? 'float32' : (layout.dtype ?? own);
  const kind = out.array.seed % 16 !== 0 ? wanted : own;
  const length = sizes.includes(0) ? 0 : sizes.reduce((product, size) => product * size, 1);
  const count = Math.min(length, longestArray);
  const placed = holds
    ? world.place(name, 'Int32Array', new Int32Array(count).fill(7), out.array)
    : world.placeFloats(name, out.array, count, kind);
  world.outputs.push(placed);
  return world.contain(placed, out.array, holds ?? storedOf(kind), sizes);
}

export const resultSizes = ({ layout, plan }: World): readonly number[] =>
  outShape(signatureOf(plan.fn), layout.sizes, layout.axis);

/** Results that go to an object: most of them, each of its own shape. */
export function outputsOf(world: World, results: Readonly<Record<string, string>>): unknown {
  const { plan, layout } = world;
  const { out } = plan;
  if (out === undefined || out.how === 'new') return undefined;
  const top = topOf(plan, layout);
  const words = wordsOf(out.array.seed);
  const outs: Record<string, unknown> = {};
  for (const [index, [name, holds]] of Object.entries(results).entries()) {
    const isOfTop = name.startsWith('top');
    if (isOfTop && top === undefined && words() % 32 !== 0) continue;
    if (words() % 4 === 0) continue;
    // Only one is where another array is.
    const how = index === 0 ? out.how : 'own';
    const array = { ...out.array, seed: out.array.seed + index };
    const sizes = sizesOfResult(world, name, top);
    outs[name] = outputOf(
      world,
      `out.${name}`,
      { how, array },
      sizes,
      holds === 'integers' ? 'int32' : undefined,
    );
  }
  const object = world.traps.object('out', outs, out.array.form);
  world.names.set(object, 'out');
  return object;
}

function sizesOfResult(world: World, name: string, top: number | undefined): readonly number[] {
  const { plan, layout } = world;
  const perRow = withPlaces(world, undefined);
  if (plan.fn === 'topK') return withPlaces(world, plan.places > 20 ? plan.places : placesOf(world));
  if (plan.fn === 'sample') {
    const last = name === 'kept' ? undefined : name.startsWith('top') ? (top ?? 0) : drawsOf(plan);
    return last === undefined ? perRow : [...perRow, last];
  }
  if (name === 'logSumExp') return perRow;
  return withPlaces(world, name.startsWith('top') ? Math.min(top ?? 0, layout.length) : tokensOf(plan));
}

/** The argument k. */
export const placesOf = ({ plan: { places }, layout: { length } }: World): number =>
  places > 20 ? places : Math.min(places, length);
