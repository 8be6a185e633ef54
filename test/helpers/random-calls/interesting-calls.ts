// Calls at the edge, as plans (plan.ts): each is one that a way through the code stands or falls with.

import { badNames, placesOf } from './faults.js';
import type { ArrayPlan, CallPlan, FaultPlan, TrapPlan } from './plan.js';

const array: ArrayPlan = {
  kind: 'float32',
  memory: 'view',
  before: 3,
  palette: 'normal',
  seed: 5,
  container: 'bare',
  arrangement: 'none',
  says: true,
  form: 'plain',
};
const seeded = (seed: number, more: Partial<ArrayPlan> = {}): ArrayPlan => ({ ...array, seed, ...more });

const simple: CallPlan = {
  fn: 'softmax',
  way: 'sync',
  meanwhile: 'nothing',
  sizes: [3, 7],
  axis: undefined,
  shapeAs: 'array',
  inputs: [array, seeded(6)],
  isSameInput: false,
  dtype: undefined,
  out: undefined,
  logProbs: undefined,
  temperature: undefined,
  scale: undefined,
  mask: undefined,
  target: { kind: 'Int32Array', array: seeded(7), ignored: 0 },
  hasTarget: false,
  weight: undefined,
  gradOutput: undefined,
  ignoreIndex: undefined,
  labelSmoothing: undefined,
  alpha: undefined,
  reduction: undefined,
  emptyMean: undefined,
  emptyRow: undefined,
  places: 2,
  values: undefined,
  sampling: { given: [], isPerRow: false, array: seeded(10) },
  shards: { before: [], after: [], seed: 0, harm: 'none' },
  form: 'plain',
  trap: undefined,
  fault: undefined,
};

const inPlace = { how: 'input', array } as const;
const own = { how: 'own', array: seeded(8) } as const;
const trap = (at: number, action: TrapPlan['action'], which = 0): TrapPlan => ({ at, action, which });
const mask = { axes: 1, kind: 'Uint8Array', keep: 'half', array: seeded(9) } as const;
const large = { sizes: [70, 1000] } as const;

const zeros64 = seeded(5, { kind: 'float64', palette: 'zeros' });
const ofZeros = {
  inputs: [seeded(5, { palette: 'zeros' }), array],
  shards: { before: [3], after: [7, 1], seed: 1, harm: 'none' },
} as const;
const telling = { how: 'own', array: seeded(8, { form: 'proxy' }) } as const;
const oneToken = { target: { kind: 'Int32Array', array: seeded(7), ignored: 0 } } as const;

const faultAt = (fn: string, place: string, value: string): FaultPlan => ({
  where: placesOf(fn).indexOf(place),
  what: badNames.filter((name) => name !== 'undefined').indexOf(value),
});

/** What a plan is about, and where it is not simple. `code`: of the error that it should come to. */
const some: readonly [what: string, plan: Partial<CallPlan>, code?: string][] = [
  ['another array of the same memory as out', { out: { ...inPlace, how: 'alias' } }],
  ['out an element before the input', { out: { ...inPlace, how: 'overlap' } }, 'ERR_OUT_OVERLAP'],
  ['an axis in the middle, in place', { sizes: [4, 5, 3], axis: 1, out: inPlace }],
  ['a plain call along axis 0', { axis: 0, out: own }],
  ['a plain call of one row', { sizes: [7], shapeAs: 'none', out: inPlace }],
  ['a view that follows a buffer that was resized', { inputs: [seeded(5, { memory: 'tracking' }), array] }],
  [
    'views of growable shared memory, written later',
    { way: 'async', inputs: [seeded(5, { memory: 'growable' }), array], out: inPlace, ...large },
  ],
  ['rows beyond 2^53 of no elements', { sizes: [2 ** 53 - 1, 0] }],
  ['a log-sum-exp of each of them', { fn: 'logSumExp', sizes: [2 ** 53 - 1, 0] }, 'ERR_SHAPE'],
  [
    'inputs given up for a result that there is no memory for',
    { fn: 'logSumExp', way: 'transfer', sizes: [2 ** 53 - 1, 0] },
    'ERR_SHAPE',
  ],
  ['no axes', { sizes: [] }, 'ERR_SHAPE'],
  [
    'a tensor of 16 bits that says nothing, named by the option',
    {
      inputs: [seeded(5, { kind: 'float16', container: 'dims', says: false }), array],
      dtype: 'float16',
    },
  ],
  [
    'a mask that is overwritten when the call has returned',
    { way: 'async', meanwhile: 'overwrite', mask, ...large },
  ],
  ['inputs that are taken away when the call has returned', { way: 'async', meanwhile: 'detach', ...large }],
  ['inputs that are given up', { fn: 'softmaxBackward', way: 'transfer', ...large }],
  ['one input twice, given up', { fn: 'softmaxBackward', way: 'transfer', isSameInput: true, ...large }],
  ['out in the buffer that is given up', { way: 'transfer', out: inPlace, ...large }, 'ERR_OUT_OVERLAP'],
  ['a call that is aborted gives nothing up', { way: 'aborted', ...large }],
  ['another call of the same function while its shape is read', { trap: trap(9, 'call'), out: inPlace }],
  [
    'the same, of a loss with its classes in the exchange',
    {
      fn: 'crossEntropy',
      out: inPlace,
      trap: trap(12, 'call'),
    },
  ],
  [
    'an input that is taken away while options are read',
    { trap: trap(3, 'detach'), out: own },
    'ERR_DETACHED',
  ],
  [
    'an output that shrinks meanwhile',
    {
      out: { how: 'own', array: seeded(8, { memory: 'resizable' }) },
      trap: trap(6, 'shrink', 1),
    },
    'ERR_DETACHED',
  ],
  [
    'an output that follows its buffer, which grows meanwhile',
    {
      out: { how: 'own', array: seeded(8, { memory: 'tracking' }) },
      trap: trap(6, 'grow', 1),
    },
    'ERR_SHAPE',
  ],
  [
    'a subclass whose accessors are all traps',
    {
      fn: 'distillationLoss',
      hasTarget: true,
      inputs: [seeded(5, { memory: 'hostile' }), seeded(6, { memory: 'hostile' })],
      target: { kind: 'BigInt64Array', array: seeded(7, { memory: 'hostile' }), ignored: 2 },
      out: { how: 'own', array: seeded(8, { memory: 'hostile' }) },
    },
  ],
  [
    'arrays of another realm',
    {
      mask: { ...mask, array: seeded(9, { memory: 'realm' }) },
      inputs: [seeded(5, { memory: 'realm' }), array],
    },
  ],
  ['all rows ignored', { fn: 'crossEntropy', target: { ...simple.target, ignored: 1 }, out: own }],
  [
    'a row longer than a kernel takes at once, any bits',
    { sizes: [9001], inputs: [seeded(5, { palette: 'any bits' }), array] },
  ],
  ['shards whose largest logits are 0 and −0', { ...ofZeros, fn: 'finishLogSumExp' }],
  ['one logit that is −0', { ...ofZeros, fn: 'finishLogSoftmax', sizes: [1], inputs: [zeros64, array] }],
  [
    'a state in a subclass whose accessors are all traps',
    { fn: 'finishLogSumExp', inputs: [array, seeded(1, { memory: 'hostile' })] },
  ],
  ['a list of states that tells what is read', { fn: 'mergePartials', trap: trap(1, 'call') }],
  ['places for results that tell what is read', { fn: 'tokenLogProbs', out: telling, ...oneToken }],
  [
    'places in subclasses for a row that is left to JavaScript',
    {
      fn: 'sample',
      sizes: [1],
      out: { how: 'own', array: seeded(66272425, { memory: 'hostile' }) },
    },
  ],
  [
    'places that tell what is read, and a wrong seed',
    { fn: 'sample', out: telling, fault: faultAt('sample', 'options.seed', "'1'") },
    'ERR_OPTION',
  ],
  [
    'places of which the first is none',
    { fn: 'topK', out: { ...telling, array: { ...telling.array, kind: 'float64', seed: 1 } } },
    'ERR_DTYPE',
  ],
  [
    'a stream with NaN of any bits',
    { fn: 'SoftmaxStream', sizes: [10], inputs: [seeded(5, { palette: 'any bits' }), array] },
  ],
  [
    'a stream that measures its logits in another unit',
    { fn: 'SoftmaxStream', sizes: [4096], scale: 0, inputs: [seeded(5, { palette: 'tiny' }), array] },
  ],
  [
    'the same along an axis',
    { fn: 'partial', sizes: [40, 17], axis: 0, scale: 0, inputs: [seeded(5, { palette: 'tiny' }), array] },
  ],
];

export const interestingCalls = some.map(
  ([what, plan, code]) => [what, { ...simple, ...plan }, code] as [string, CallPlan, string | undefined],
);
