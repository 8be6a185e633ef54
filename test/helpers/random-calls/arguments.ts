// The arguments of a call, from its plan.

import { takesClasses } from '../signatures.js';
import { resultsOf, signatureOf, takesProbabilities } from './functions.js';
import { arrayNameOf, kindOf, once, storedOf } from './layout.js';
import { outputOf, outputsOf, placesOf, resultSizes, tokensOf, withPlaces } from './outputs.js';
import {
  type ArrayPlan,
  type FloatKind,
  type IntegerKind,
  type NumbersPlan,
  type SamplingName,
  samplingNames,
} from './plan.js';
import { type NumbersOf, samplingOptionOf, topOf } from './sampling.js';
import { chunksOf, listsOf, stateOf, statesOf } from './shards.js';
import { type Integers, integersOf, longestArray, wordsOf } from './values.js';
import type { World } from './world.js';

/** The largest number that an array of integers holds. */
const largest: Readonly<Record<IntegerKind, number>> = {
  Int32Array: 2 ** 31 - 1,
  Uint32Array: 2 ** 32 - 1,
  Uint16Array: 2 ** 16 - 1,
  Uint8Array: 255,
  Int16Array: 2 ** 15 - 1,
  Int8Array: 127,
  BigInt64Array: 2 ** 31,
  BigUint64Array: 2 ** 31,
};
const wrongClasses = [-1, -99, 127, 255, 65535, 2 ** 31 - 1, 2 ** 31];

function newClasses(world: World, kind: IntegerKind, rows: number): Integers {
  const { plan, layout } = world;
  const { ignored, array } = plan.target;
  const words = wordsOf(array.seed);
  const classes = Math.max(1, Math.min(layout.classes, largest[kind] + 1));
  const isUnsigned = kind.includes('Uint');
  const ignore = plan.ignoreIndex ?? -100;
  const hasIgnored = ignored > 0 && !(isUnsigned && ignore < 0) && ignore <= largest[kind];
  const wrong = wrongClasses[(plan.fault?.what ?? 0) % wrongClasses.length] as number;
  const wrongRow = world.fault?.place === 'target[0]' ? words() % (rows + 1) : -1;
  return integersOf(kind, rows, (row) => {
    if (row === wrongRow) return isUnsigned ? Math.abs(wrong) : wrong;
    return hasIgnored && words() % ignored === 0 ? ignore : words() % classes;
  });
}

const nameOfIntegers = (kind: IntegerKind): string =>
  kind.startsWith('Big') ? kind.slice(3, -5).toLowerCase() : kind.slice(0, -5).toLowerCase();

function targetOf(world: World): unknown {
  const { plan, layout } = world;
  const { array } = plan.target;
  const isRefused = plan.target.kind === 'probabilities' && !takesProbabilities(signatureOf(plan.fn));
  const kind = isRefused && array.seed % 8 !== 1 ? 'Int32Array' : plan.target.kind;
  if (kind === 'probabilities') {
    const floats = kindOf(array, layout.isDouble);
    const isBits = arrayNameOf(floats) === 'Uint16Array';
    // Bare, 16 bits would be classes.
    const isHidden = isBits && array.container === 'bare' && array.seed % 16 !== 0;
    const said: ArrayPlan = isHidden ? { ...array, container: 'dims', says: true } : array;
    const placed = world.placeFloats('target', array, Math.min(layout.elements, longestArray), floats);
    return world.contain(placed, said, storedOf(floats), layout.sizes);
  }
  const each = tokensOf(plan);
  const rows = Math.min(layout.rowCount * (each ?? 1), longestArray);
  const classes = once(plan, 'classes', () => newClasses(world, kind, rows));
  const placed = world.place('target', kind, classes, array);
  const shape = withPlaces(world, each);
  return world.contain(placed, array, nameOfIntegers(kind), shape);
}

/** Numbers above 0; one in a few plans any others. */
function newNumbers(seed: number, length: number): Float64Array {
  const words = wordsOf(seed);
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++)
    numbers[i] = seed % 8 === 0 ? ((words() % 7) - 2) / 2 : 0.25 + (words() % 16) / 8;
  return numbers;
}

/** One number for all, or `count`. */
function numbersOf(
  world: World,
  name: string,
  { isPlain, isOne, array }: NumbersPlan,
  count: number,
  make = (length: number) => newNumbers(array.seed, length),
): unknown {
  const length = isOne ? 1 : Math.min(count, longestArray);
  const numbers = once(world.plan, `numbers of ${name}`, () => make(length));
  if (isPlain) {
    const elements: unknown[] = [...numbers];
    if (world.fault?.place === `options.${name}[0]`) elements[0] = world.put(`options.${name}[0]`, undefined);
    const list = world.traps.array(`options.${name}`, elements);
    world.names.set(list, `${name}, the list`);
    return list;
  }
  const isDouble = array.kind === 'float64';
  const elements = isDouble ? numbers : Float32Array.from(numbers);
  const isHalf = array.kind !== 'float64' && array.kind !== 'float32';
  const kind: FloatKind = isHalf && array.says ? array.kind : isDouble ? 'float64' : 'float32';
  const placed = storedOf(kind).endsWith('float16')
    ? world.placeFloats(name, { ...array, palette: 'normal' }, length, kind)
    : world.place(name, arrayNameOf(kind), elements, array);
  return world.contain(placed, array, storedOf(kind), [length]);
}

function maskOf(world: World): unknown {
  const { plan, layout } = world;
  const { mask } = plan;
  if (mask === undefined) return undefined;
  const { sizes } = layout;
  const isBare = mask.array.container === 'bare';
  const suffix = sizes.slice(sizes.length - 1 - (mask.axes % Math.max(1, sizes.length)));
  const shape = isBare ? suffix : suffix.map((size, axis) => ((mask.axes >> axis) & 1 ? 1 : size));
  const length = shape.reduce((product, size) => product * size, 1);
  const kind = isBare ? 'Uint8Array' : mask.kind;
  const elements = once(plan, 'mask', () => {
    const words = wordsOf(mask.array.seed);
    const kept = { all: () => 1, most: () => words() % 8, half: () => words() & 1, none: () => 0 };
    return integersOf(kind, Math.min(length, longestArray) || 0, kept[mask.keep]);
  });
  const placed = world.place('mask', kind, elements, mask.array);
  const type = kind === 'Uint8Array' && mask.array.seed & 1 ? 'bool' : nameOfIntegers(kind);
  return world.contain(placed, mask.array, type, shape);
}

/** An output as long and of the shape that a result has. */
const isSampling = (name: string): name is SamplingName =>
  (samplingNames as readonly string[]).includes(name);

function shapeOf(world: World): unknown {
  const { givenShape } = world.layout;
  if (givenShape === undefined) return undefined;
  const { shapeAs } = world.plan;
  const isSmall = givenShape.every((size) => size < 2 ** 31);
  if (shapeAs === 'Int32Array' && isSmall) return Int32Array.from(givenShape);
  if (shapeAs === 'Float64Array') return Float64Array.from(givenShape);
  const sizes: unknown[] = [...givenShape];
  if (world.fault?.place === 'options.shape[0]') sizes[0] = world.put('options.shape[0]', undefined);
  return world.traps.array('options.shape', sizes);
}

/** Each option as its plan has it; undefined where there is none. */
function optionOf(world: World, name: string): unknown {
  const { plan, layout } = world;
  const { rowCount, length, offset, classes } = layout;
  const { seed } = plan.shards;
  if (name === 'top') return topOf(plan, layout);
  if (isSampling(name) || name === 'seed') {
    const numbersOfRows: NumbersOf = (of, array, count, make) =>
      numbersOf(world, of, { isPlain: array.seed % 2 === 0, isOne: false, array }, count, (most) =>
        Float64Array.from({ length: most }, make),
      );
    return samplingOptionOf(world, name, numbersOfRows);
  }
  switch (name) {
    case 'shape':
      return shapeOf(world);
    case 'axis':
      return layout.givenAxis;
    case 'dtype':
      return signatureOf(plan.fn).shards === 'chunks' ? storedOf(plan.inputs[0].kind) : layout.dtype;
    case 'values':
      return plan.values;
    case 'offset':
      return offset > 0 || seed % 2 === 0 ? offset : undefined;
    case 'classes':
      return plan.fn === 'gatherTopK' || seed % 2 === 0 ? classes : undefined;
    case 'rows':
      return rowCount === 1 && seed % 2 === 0 ? undefined : rowCount;
    case 'mask':
      return maskOf(world);
    case 'out': {
      const results = resultsOf(signatureOf(plan.fn));
      if (results) return outputsOf(world, results);
      return outputOf(world, name, plan.out, resultSizes(world));
    }
    case 'grad':
      return outputOf(world, name, plan.out, resultSizes(world));
    case 'logProbs':
      return outputOf(world, name, plan.logProbs, layout.sizes);
    case 'target':
      return plan.hasTarget ? targetOf(world) : undefined;
    case 'temperature':
      return typeof plan.temperature === 'object'
        ? numbersOf(world, name, plan.temperature, rowCount)
        : plan.temperature;
    case 'weight':
      return plan.weight && numbersOf(world, name, { ...plan.weight, isOne: false }, length);
    case 'gradOutput': {
      const { gradOutput, reduction } = plan;
      if (typeof gradOutput !== 'object') return gradOutput;
      const isOne = gradOutput.isOne || (reduction !== 'none' && gradOutput.array.seed % 8 !== 1);
      return numbersOf(world, name, { ...gradOutput, isOne }, rowCount);
    }
    default:
      return plan[
        name as 'scale' | 'alpha' | 'labelSmoothing' | 'reduction' | 'emptyMean' | 'emptyRow' | 'ignoreIndex'
      ];
  }
}

/** What makes no sense without a target is left out, most times. */
const needTarget = ['alpha', 'labelSmoothing', 'weight', 'ignoreIndex'];

function optionsOf(world: World, more: Record<string, unknown>): unknown {
  const { plan, fault } = world;
  const options: Record<string, unknown> = {};
  for (const name of signatureOf(plan.fn).options) {
    const isIdle = signatureOf(plan.fn).target === 'option' && !plan.hasTarget && needTarget.includes(name);
    const value = isIdle && plan.target.array.seed % 16 !== 0 ? undefined : optionOf(world, name);
    if (value !== undefined || plan.form === 'getters') options[name] = value;
  }
  Object.assign(options, more);
  if (fault?.place.startsWith('options.') && !fault.place.endsWith('[0]'))
    options[fault.place.slice('options.'.length)] = world.put(fault.place, undefined);
  if (Object.keys(options).length === 0 && plan.form === 'plain') return world.put('options', undefined);
  const object = world.traps.object('options', options, plan.form);
  world.names.set(object, 'options');
  return world.put('options', object);
}

/** What a function on shards is given beside the input, or in place of it. */
function ofShards(world: World): unknown[] {
  const prepare = (other: World) => argumentsOf(other, {});
  const { fn } = world.plan;
  switch (signatureOf(fn).shards) {
    case 'state':
      return [stateOf(world, prepare)];
    case 'parts':
      return [fn === 'gatherTopK' ? listsOf(world, prepare) : statesOf(world, prepare)];
    default:
      return [];
  }
}

/** `more`: further options, as an asynchronous call has. */
export function argumentsOf(world: World, more: Record<string, unknown>): unknown[] {
  const { plan, layout } = world;
  const signature = signatureOf(plan.fn);
  const { inputs } = signature;
  if (signature.shards === 'chunks') return [chunksOf(world), optionsOf(world, more)];
  const length = Math.min(layout.elements, longestArray);
  const values: unknown[] = [];
  for (const [i, name] of inputs.entries()) {
    const isSame = i === 1 && plan.isSameInput && world.fault?.place !== name;
    values.push(isSame ? values[0] : world.floats(name, plan.inputs[i as 0 | 1], length, layout.sizes));
  }
  if (takesClasses(signature)) values.push(targetOf(world));
  if (signature.count !== undefined) values.push(world.put(signature.count, placesOf(world)));
  if (signature.shards !== undefined) values.push(...ofShards(world));
  return signature.options.length > 0 ? [...values, optionsOf(world, more)] : values;
}
