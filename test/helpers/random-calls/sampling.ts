// The options of the functions that draw. All their values are made of one seed: mostly valid ones.

import type { Layout } from './layout.js';
import { once } from './layout.js';
import type { ArrayPlan, CallPlan, SamplingName } from './plan.js';
import { integersOf, longestArray, wordsOf } from './values.js';
import type { World } from './world.js';

/** Makes an option's value of numbers, `count` of them or one, as an array of a plan's kind or a plain one. */
export type NumbersOf = (name: string, array: ArrayPlan, count: number, make: () => number) => unknown;

const isGiven = ({ sampling }: CallPlan, name: SamplingName): boolean => sampling.given.includes(name);

/** Draws a row, and the most likely tokens of each, where they are asked for. */
export const drawsOf = (plan: CallPlan): number | undefined =>
  isGiven(plan, 'count') ? 1 + (plan.sampling.array.seed % 5) : undefined;
export const topOf = (plan: CallPlan, { length }: Layout): number | undefined =>
  isGiven(plan, 'top') ? (plan.places > 20 ? plan.places : Math.min(plan.places, length)) : undefined;

const numbers: Partial<Record<SamplingName, readonly number[]>> = {
  topK: [3, 1, 2, 20, 0, 1000],
  topP: [0.9, 0.5, 1, 0.999, 1e-9],
  minP: [0.05, 0, 0.5, 1, 1e-6],
  typicalP: [0.9, 0.2, 1],
  topNSigma: [1, 2.5, 0, 0.1, 1e300],
  minKeep: [1, 2, 5, 1000],
  step: [1, 0, 2 ** 32, 2 ** 53 - 1],
};
const wrongNumbers = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, -0, 2 ** 53];

/** One in so many plans has a wrong number. */
const wrongOnes = 24;

const only = (array: ArrayPlan): ArrayPlan => ({
  ...array,
  kind: array.kind === 'float64' ? 'float64' : 'float32',
});

/** Of each name another seed. */
const seedOf = (plan: CallPlan, name: string): number =>
  plan.sampling.array.seed + [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) * 7919;

const wordsFor = (plan: CallPlan, name: string): (() => number) => wordsOf(seedOf(plan, name));

/** Elements are made for the first world alone: no others take words where they do. */
const elementWords = (plan: CallPlan, name: string): (() => number) => wordsFor(plan, `${name}, elements`);

/** An array for one of the options. */
const arrayFor = (plan: CallPlan, name: string): ArrayPlan => ({
  ...only(plan.sampling.array),
  seed: seedOf(plan, name),
});

function settingOf(world: World, name: string, choices: readonly number[], numbersOf: NumbersOf): unknown {
  const { plan, layout } = world;
  const words = wordsFor(plan, name);
  const isWrong = words() % wrongOnes === 0;
  const pick = (): number => {
    const from = isWrong && words() % 3 === 0 ? wrongNumbers : choices;
    return from[words() % from.length] as number;
  };
  if (!plan.sampling.isPerRow || words() % 2 === 0) return pick();
  return numbersOf(name, arrayFor(plan, name), layout.rowCount, pick);
}

function integers(world: World, name: string, length: number, make: (index: number) => number): unknown {
  const array = arrayFor(world.plan, name);
  const kind = array.seed & 1 ? 'Int32Array' : 'BigInt64Array';
  const elements = once(world.plan, `integers of ${name}`, () =>
    integersOf(kind, Math.min(length, longestArray), make),
  );
  const placed = world.place(name, kind, elements, array);
  return world.contain(placed, array, kind === 'Int32Array' ? 'int32' : 'int64', [length]);
}

/** rows + 1 of them, the last of them `length`. */
function offsets(world: World, name: string, length: number): unknown {
  const rowCount = Math.min(world.layout.rowCount, longestArray);
  const words = wordsFor(world.plan, name);
  const cuts = Array.from({ length: rowCount }, () => words() % (length + 1)).sort((a, b) => a - b);
  return integers(world, name, rowCount + 1, (row) => cuts[row] ?? length);
}

function allowedOf(world: World): unknown {
  const { plan, layout } = world;
  const { rowCount, length } = layout;
  const words = wordsFor(plan, 'allowed');
  const array = arrayFor(plan, 'allowed');
  const each = Math.ceil(length / 32);
  const isOne = words() % 2 === 0;
  const kind = words() % 2 === 0 ? 'Int32Array' : 'Uint32Array';
  const masks = [() => words() | words(), words, () => -1, () => 0];
  const make = masks[words() % masks.length] as () => number;
  const elements = once(plan, 'allowed', () =>
    integersOf(kind, Math.min(isOne ? each : rowCount * each, longestArray), make),
  );
  const placed = world.place('allowed', kind, elements, array);
  const shape = isOne ? [each] : [rowCount, each];
  return world.contain(placed, array, kind === 'Int32Array' ? 'int32' : 'uint32', shape);
}

function biasOf(world: World, numbersOf: NumbersOf): unknown {
  const { plan, layout } = world;
  const words = wordsFor(plan, 'bias');
  const array = arrayFor(plan, 'bias');
  const own = elementWords(plan, 'bias');
  const addend = () => (own() % 9 === 0 ? Number.NEGATIVE_INFINITY : ((own() % 41) - 20) / 4);
  if (words() % 2 === 0) return numbersOf('bias', array, layout.length, addend);
  const count = layout.length === 0 ? 0 : words() % 12;
  return fieldsOf(world, 'bias', {
    indices: integers(world, 'bias.indices', count, () => own() % layout.length),
    values: numbersOf('bias.values', array, count, addend),
    ...(words() % 2 === 0 ? { offsets: offsets(world, 'bias.offsets', count) } : {}),
  });
}

function penaltiesOf(world: World, numbersOf: NumbersOf): unknown {
  const { plan, layout } = world;
  const { rowCount, length } = layout;
  const words = wordsFor(plan, 'penalties');
  const own = elementWords(plan, 'penalties');
  const hasOffsets = words() % 2 === 0;
  const count = length === 0 ? 0 : hasOffsets ? words() % 30 : (words() % 6) * Math.min(rowCount, 500);
  const number = (name: string, choices: readonly number[]): Record<string, unknown> =>
    words() % 2 === 0 ? { [name]: settingOf(world, `penalties.${name}`, choices, numbersOf) } : {};
  return fieldsOf(world, 'penalties', {
    tokens: integers(world, 'penalties.tokens', count, () => own() % length),
    ...(hasOffsets ? { offsets: offsets(world, 'penalties.offsets', count) } : {}),
    ...number('repetition', [1.2, 1, 0.5, 1e30]),
    ...number('frequency', [0.5, 0, -1, 1e300]),
    ...number('presence', [0.5, 0, -1]),
  });
}

/** An option that is an object, of which one field may be wrong. */
function fieldsOf(world: World, name: string, fields: Record<string, unknown>): object {
  for (const field of [...Object.keys(fields), 'offsets'])
    if (world.fault?.place === `${name}.${field}`) fields[field] = world.put(`${name}.${field}`, undefined);
  const object = world.traps.object(name, fields, world.plan.sampling.array.form);
  world.names.set(object, name);
  return object;
}

/** 64 bits: one for all rows, or one each. */
function seedsOf(world: World): unknown {
  const { plan, layout } = world;
  const words = wordsFor(plan, 'seed');
  const big = () => BigInt.asUintN(64, (BigInt(words()) << 32n) | BigInt(words()));
  if (!plan.sampling.isPerRow) return words() % 3 === 0 ? big() : words() - 2 ** 31;
  const count = Math.min(layout.rowCount, longestArray);
  const make = () => (words() % 2 === 0 ? big() : words());
  if (words() % 2 === 0) {
    const seeds = world.traps.array(
      'options.seed',
      once(plan, 'seeds', () => Array.from({ length: count }, make)),
    );
    world.names.set(seeds, 'the seeds');
    return seeds;
  }
  const elements = once(plan, 'seeds', () => integersOf('Uint32Array', count, words));
  return world.place('seed', 'Uint32Array', elements, arrayFor(plan, 'seed')).array;
}

/** An option of sample or gumbelSoftmax; undefined where there is none. */
export function samplingOptionOf(world: World, name: SamplingName | 'seed', numbersOf: NumbersOf): unknown {
  const { plan, layout } = world;
  const hasUniform = plan.fn === 'sample' && isGiven(plan, 'uniform');
  const words = wordsFor(plan, name);
  // Both, once in a while, which is refused.
  if (name === 'seed') return hasUniform && words() % 16 !== 0 ? undefined : seedsOf(world);
  if (!isGiven(plan, name)) return undefined;
  switch (name) {
    case 'keepTies':
    case 'hard':
      return true;
    case 'order':
      return words() % 4 === 0 ? 'temperature-first' : 'temperature-last';
    case 'logProbsOf':
      return words() % 4 === 0 ? 'raw' : 'processed';
    case 'count':
      return drawsOf(plan);
    case 'top':
      return topOf(plan, layout);
    case 'allowed':
      return allowedOf(world);
    case 'bias':
      return biasOf(world, numbersOf);
    case 'penalties':
      return penaltiesOf(world, numbersOf);
    case 'uniform': {
      const array = { ...arrayFor(plan, name), kind: 'float64' } as const;
      const count = layout.rowCount * (drawsOf(plan) ?? 1);
      return numbersOf(name, array, count, () => (words() % 32 === 0 ? 0 : words() / 2 ** 32));
    }
    default:
      if (name === 'step' && hasUniform) return undefined;
      return settingOf(world, name, numbers[name] as readonly number[], numbersOf);
  }
}
