// Random calls. What is drawn often stands in a list more often; the first of a list is the simplest, to which
// fast-check shrinks.

import fc from 'fast-check';
import { functionNames, signatureOf } from './functions.js';
import {
  type ArrayPlan,
  arrangements,
  type CallPlan,
  type FaultPlan,
  type FloatKind,
  floatKinds,
  goodMemories,
  integerKinds,
  type MaskPlan,
  type MemoryKind,
  type NumbersPlan,
  type ObjectForm,
  type OutPlan,
  objectForms,
  palettes,
  type SamplingPlan,
  type ShardsPlan,
  samplingNames,
  type TargetPlan,
  type TrapPlan,
  trapActions,
} from './plan.js';

const seed = fc.nat(2 ** 31 - 1);

const repeated = <Value>(value: Value, times: number): Value[] => new Array<Value>(times).fill(value);

/** Undefined `odds` times as often as not. */
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>, odds: number): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: odds, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const form = fc.constantFrom<ObjectForm[]>(...repeated<ObjectForm>('plain', 8), ...objectForms);
const kind = fc.constantFrom<FloatKind[]>(...repeated<FloatKind>('float32', 6), ...floatKinds, 'float64');
const memory = fc.constantFrom<MemoryKind[]>(
  ...repeated<MemoryKind>('own', 6),
  ...repeated<MemoryKind>('view', 4),
  ...goodMemories,
);

const array: fc.Arbitrary<ArrayPlan> = fc.record({
  kind,
  memory,
  before: fc.nat(9),
  palette: fc.constantFrom('normal', 'normal', 'normal', ...palettes),
  seed,
  container: fc.constantFrom('bare', 'bare', 'bare', 'dims', 'shape'),
  arrangement: fc.constantFrom('none', 'none', 'none', ...arrangements),
  says: fc.constantFrom(true, true, true, false),
  form,
});

const few = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 0);
const ordinary = fc.constantFrom(10, 2, 16, 17, 31, 33, 64, 100, 257, 1, 0);
/** Longer than what a kernel takes at once, and beyond. */
const long = fc.constantFrom(4097, 4096, 5003, 9000);
const beyondMemory = fc.constantFrom(2 ** 53 - 1, 2 ** 40);

const sizes: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 60, arbitrary: fc.array(few, { minLength: 0, maxLength: 5 }) },
  { weight: 30, arbitrary: fc.tuple(ordinary) },
  { weight: 40, arbitrary: fc.tuple(few, ordinary) },
  { weight: 20, arbitrary: fc.tuple(ordinary, few) },
  { weight: 15, arbitrary: fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 12 })) },
  { weight: 15, arbitrary: fc.tuple(few, ordinary, few) },
  { weight: 3, arbitrary: fc.tuple(long) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(1, 2), long) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 60, max: 80 }), fc.integer({ min: 900, max: 1100 })) },
  { weight: 1, arbitrary: fc.tuple(fc.integer({ min: 4000, max: 8000 }), fc.integer({ min: 1, max: 10 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant(0), beyondMemory, few) },
  { weight: 1, arbitrary: fc.tuple(beyondMemory, fc.constant(0)) },
);

const out: fc.Arbitrary<OutPlan> = fc.record({
  how: fc.constantFrom('new', 'new', 'own', 'own', 'own', 'input', 'input', 'alias', 'overlap'),
  array,
});
const numbers: fc.Arbitrary<NumbersPlan> = fc.record({
  isPlain: fc.boolean(),
  isOne: fc.constantFrom(true, false, false, false),
  array,
});
const mask: fc.Arbitrary<MaskPlan> = fc.record({
  axes: fc.nat(7),
  kind: fc.constantFrom('Uint8Array', ...integerKinds),
  keep: fc.constantFrom('all', 'most', 'most', 'half', 'half', 'none'),
  array,
});
const target: fc.Arbitrary<TargetPlan> = fc.record({
  kind: fc.constantFrom(
    'Int32Array',
    'Int32Array',
    'Int32Array',
    'probabilities',
    'probabilities',
    'probabilities',
    ...integerKinds,
  ),
  array,
  ignored: fc.constantFrom(0, 0, 3, 8, 1),
});
const temperature = fc.constantFrom(1, 2, 0.7, 100, 0, Number.POSITIVE_INFINITY, 1e-30, 1e30, -1, Number.NaN);
const factor = fc.constantFrom(1, 0.125, -2.5, 0, -0, 1e38, 1e-40, 1e200, Number.NaN);

const sampling: fc.Arbitrary<SamplingPlan> = fc.record({
  given: fc.subarray([...samplingNames], { maxLength: 6 }),
  isPerRow: fc.boolean(),
  array,
});
/** Blocks have 4096 classes. */
const otherShards = fc.array(fc.constantFrom(1, 2, 3, 7, 0, 16, 33, 100, 1000, 4096, 5000, 8192), {
  maxLength: 3,
});
const shards: fc.Arbitrary<ShardsPlan> = fc.record({
  before: otherShards,
  after: otherShards,
  seed,
  harm: fc.constantFrom(...repeated('none' as const, 5), 'number', 'number', 'cut', 'missing'),
});

const fault: fc.Arbitrary<FaultPlan> = fc.record({ where: seed, what: seed });
const trap: fc.Arbitrary<TrapPlan> = fc.record({
  at: fc.integer({ min: 1, max: 20 }),
  action: fc.constantFrom(...trapActions),
  which: fc.nat(20),
});

const anyCalls: fc.Arbitrary<CallPlan> = fc.record({
  fn: fc.constantFrom(...functionNames),
  way: fc.constantFrom(
    ...repeated('sync' as const, 12),
    ...repeated('async' as const, 5),
    'transfer',
    'transfer',
    'aborted',
  ),
  meanwhile: fc.constantFrom('nothing', 'overwrite', 'detach'),
  sizes,
  axis: maybe(fc.nat(20), 1),
  shapeAs: fc.constantFrom('array', 'array', 'array', 'Int32Array', 'Float64Array', 'none'),
  inputs: fc.tuple(array, array),
  isSameInput: fc.constantFrom(...repeated(false, 9), true),
  dtype: maybe(kind, 4),
  out: maybe(out, 1),
  logProbs: maybe(out, 3),
  temperature: maybe(fc.oneof(temperature, numbers), 2),
  scale: maybe(factor, 4),
  mask: maybe(mask, 3),
  target,
  hasTarget: fc.boolean(),
  weight: maybe(numbers, 3),
  gradOutput: maybe(fc.oneof(factor, numbers), 3),
  ignoreIndex: maybe(fc.constantFrom(0, 1, -1, -100, 255, 2 ** 40), 5),
  labelSmoothing: maybe(fc.constantFrom(0, 0.1, 1, 1e-30), 3),
  alpha: maybe(fc.constantFrom(0.5, 0, 1, 0.9), 1),
  reduction: maybe(fc.constantFrom('mean', 'sum', 'none', 'none'), 1),
  emptyMean: maybe(fc.constantFrom('nan', 'zero'), 3),
  emptyRow: maybe(fc.constantFrom('zero', 'zero', 'nan'), 2),
  places: fc.constantFrom(1, 2, 3, 1, 5, 20, 0, 1000),
  values: maybe(fc.constantFrom('logits', 'probabilities', 'logProbabilities'), 1),
  sampling,
  shards,
  form,
  trap: maybe(trap, 11),
  fault: maybe(fault, 3),
});

const bareFloats = (plan: ArrayPlan): ArrayPlan => ({ ...plan, kind: 'float32', container: 'bare' });

const never = { temperature: undefined, scale: undefined, mask: undefined, weight: undefined } as const;
const alsoNever = {
  gradOutput: undefined,
  ignoreIndex: undefined,
  labelSmoothing: undefined,
  emptyRow: undefined,
} as const;

const plainSampling: readonly string[] = ['topK', 'topP', 'minP', 'minKeep', 'count', 'step'];

/** The kind of call that most programs make: bare float32 arrays with one for the result (src/operations/fast-path.ts). */
const plainly = (plan: CallPlan): CallPlan => ({
  ...plan,
  inputs: [bareFloats(plan.inputs[0]), bareFloats(plan.inputs[1])],
  shapeAs: plan.shapeAs === 'none' ? 'none' : 'array',
  out: {
    how: plan.out === undefined || plan.out.how === 'new' ? 'own' : plan.out.how,
    array: bareFloats(plan.out?.array ?? plan.target.array),
  },
  target: { ...plan.target, kind: 'Int32Array', array: bareFloats(plan.target.array) },
  dtype: undefined,
  logProbs: undefined,
  values: undefined,
  sampling: {
    given: plan.sampling.given.filter((name) => plainSampling.includes(name)),
    isPerRow: false,
    array: bareFloats(plan.sampling.array),
  },
  // One in four is no such call any more, by one of the options that it may not have.
  ...(plan.target.array.seed % 4 === 1 ? {} : { ...never, ...alsoNever }),
});

/** As a function can be called: some have no twin, and a stream reads its chunks whenever they come. */
function callable(plan: CallPlan): CallPlan {
  const { shards, hasTwin } = signatureOf(plan.fn);
  if (hasTwin === false) return { ...plan, way: 'sync' };
  if (shards !== 'chunks' || plan.way === 'sync') return plan;
  return { ...plan, way: 'async', meanwhile: 'nothing' };
}

/** Calls of any function. */
export const calls: fc.Arbitrary<CallPlan> = fc
  .oneof({ weight: 3, arbitrary: anyCalls }, { weight: 1, arbitrary: anyCalls.map(plainly) })
  .map(callable);
