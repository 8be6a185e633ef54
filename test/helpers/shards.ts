// Random rows that are cut into shards, and whether what is made of the shards has the bits of the whole rows.

import type * as Api from 'softmax-native';
import { Random } from './random.js';

type Functions = typeof Api;
type Floats = Float32Array | Float64Array;

const block = 4096;

/** Logits of all classes, and where they are cut. */
export interface Problem {
  readonly rows: number;
  readonly classes: number;
  /** Of [rows, classes], or of [classes, rows]. */
  readonly logits: Floats;
  readonly isAcross: boolean;
  readonly mask: Uint8Array | undefined;
  /** Of partial, and of the functions of whole rows. */
  readonly options: Record<string, unknown>;
  readonly target: Int32Array;
  readonly reduction: 'mean' | 'sum' | 'none';
  readonly shards: readonly { readonly begin: number; readonly end: number }[];
  readonly label: string;
}

const pick = <Value>(random: Random, values: readonly Value[]): Value =>
  values[random.integer(values.length)] as Value;

/** Logits around a center, a few of them far from it; what makes rows special comes on top. */
function logitsOf(random: Random, isDouble: boolean, rows: number, classes: number): [Floats, string] {
  // Maxima beyond ±1024, and of float64 ±4096, are subtracted.
  const center = pick(random, [0, 0, 0, -20, 100, 1000, -1024, -1100, 1024, -5000, -4096, 4096, 3e5]);
  const scale = pick(random, [1, 1, 5, 20, 60, 300, 1500, 5000, 1e6, 1e30]);
  const logits = isDouble ? new Float64Array(rows * classes) : new Float32Array(rows * classes);
  const fill = (value: () => number) => {
    for (let i = 0; i < logits.length; i++) logits[i] = value();
  };
  const anywhere = () => random.integer(logits.length);
  fill(() => center + scale * random.uniform(-0.5, 0.5) * (random.uniform() < 0.1 ? 1 : 0.01));
  // Blocks that are higher and lower.
  const steps = random.uniform() < 0.3 ? random.uniform(0, 60) : 0;
  for (let i = 0; steps > 0 && i < logits.length; i++)
    logits[i] = (logits[i] as number) - steps * (Math.floor((i % classes) / block) % 3);
  const kind = pick(random, [
    'plain',
    'plain',
    'plain',
    'log-probabilities',
    'one above',
    'sparse',
    'few',
    'infinite',
    'nan',
    'nothing',
  ]);
  if (kind === 'log-probabilities') fill(() => -random.uniform(8, 30));
  if (kind === 'log-probabilities' || kind === 'one above')
    for (let row = 0; row < rows; row++)
      logits[row * classes + random.integer(classes)] = pick(random, [
        0,
        -1e-9,
        1e-8,
        -0.01,
        0.3,
        center + scale,
      ]);
  if (kind === 'sparse')
    for (let i = 0; i < logits.length; i++) if (random.uniform() < 0.7) logits[i] = -Infinity;
  if (kind === 'few' || kind === 'nothing') fill(() => -Infinity);
  if (kind === 'few') for (let i = 0; i < 4 * rows; i++) logits[anywhere()] = random.uniform(-2.2, 0.4);
  if (kind === 'infinite' || (kind === 'nan' && random.uniform() < 0.5)) logits[anywhere()] = Infinity;
  if (kind === 'nan') logits[anywhere()] = Number.NaN;
  if (kind === 'nothing' && random.uniform() < 0.5) logits[anywhere()] = center;
  return [logits, `${kind}, ${center} ± ${scale}`];
}

/** Half of the time the class of the largest logit. */
function targetOf(random: Random, logits: Floats, row: number, classes: number): number {
  if (random.uniform() < 0.1) return -100;
  if (random.uniform() < 0.5) return random.integer(classes);
  const own = Array.from(logits.subarray(row * classes, (row + 1) * classes));
  return own.reduce((best, value, k) => (value > (own[best] as number) ? k : best), 0);
}

/** [rows, classes] as [classes, rows]. */
function transposed<Values extends Floats | Uint8Array>(
  values: Values,
  rows: number,
  classes: number,
): Values {
  const result = values.slice() as Values;
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < classes; k++) result[k * rows + row] = values[row * classes + k] as number;
  return result;
}

/** `isAligned`: shards begin at multiples of 4096 classes. */
export function problemOf(seed: number, isAligned = true): Problem {
  const random = new Random(seed);
  const rows = random.uniform() < 0.1 ? 17 : 1 + random.integer(3);
  const classes = block * (1 + random.integer(5)) + (random.uniform() < 0.6 ? random.integer(block) : 0);
  const isDouble = random.uniform() < 0.35;
  const [logits, kind] = logitsOf(random, isDouble, rows, classes);
  const multiplier = pick(random, [
    ...[{}, {}, {}, { temperature: 0.7 }, { temperature: 3 }, { scale: -1.3 }, { temperature: Infinity }],
    ...[{ temperature: 0 }, { temperature: Array.from({ length: rows }, () => random.uniform(0.5, 2)) }],
  ]);
  const options = { ...multiplier, ...(random.uniform() < 0.2 ? { emptyRow: 'zero' } : {}) };
  const mask = random.uniform() < 0.25 ? Uint8Array.from(logits, () => random.integer(2)) : undefined;
  if (mask && random.uniform() < 0.2) mask.fill(0, 0, classes);
  const unit = isAligned ? block : 1;
  const cuts = new Set([0]);
  for (let i = random.integer(5); i > 0; i--) cuts.add(unit * random.integer(Math.ceil(classes / unit)));
  const begins = [...cuts].sort((a, b) => a - b);
  const shards = begins.map((begin, i) => ({ begin, end: begins[i + 1] ?? classes }));
  const target = Int32Array.from({ length: rows }, (_, row) => targetOf(random, logits, row, classes));
  const isAcross = random.uniform() < 0.3;
  const laidOut = <Values extends Floats | Uint8Array>(values: Values): Values =>
    isAcross ? transposed(values, rows, classes) : values;
  return {
    rows,
    classes,
    logits: laidOut(logits),
    isAcross,
    mask: mask && laidOut(mask),
    options,
    target,
    reduction: pick(random, ['mean', 'sum', 'none']),
    shards,
    label: `seed ${seed}: ${rows} x ${classes} ${isDouble ? 'float64' : 'float32'}, ${kind}, ${JSON.stringify(options)}${isAcross ? ', across' : ''}, cut at ${begins}`,
  };
}

/** What a shard has of an array of whole rows. */
export function partOf<Values extends Floats | Uint8Array>(
  values: Values,
  { rows, classes, isAcross }: Pick<Problem, 'rows' | 'classes' | 'isAcross'>,
  { begin, end }: Problem['shards'][number],
): Values {
  if (isAcross) return values.slice(begin * rows, end * rows) as Values;
  const own = values.slice(0, rows * (end - begin)) as Values;
  for (let row = 0; row < rows; row++)
    own.set(values.subarray(row * classes + begin, row * classes + end) as never, row * (end - begin));
  return own;
}

const sameNumbers = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.prototype.every.call(a, (value, i) => Object.is(value, b[i]));

const lossesOf = (loss: unknown): ArrayLike<number> => (typeof loss === 'number' ? [loss] : (loss as Floats));

/** Merges neighbours and others in any order. */
function mergedAnyhow(random: Random, api: Functions, states: readonly Float64Array[]): Float64Array {
  const left = [...states];
  while (left.length > 1) {
    const [a] = left.splice(random.integer(left.length), 1) as [Float64Array];
    const [b] = left.splice(random.integer(left.length), 1) as [Float64Array];
    left.push(api.mergePartials(random.uniform() < 0.5 ? [a, b] : [b, a]));
  }
  return left[0] as Float64Array;
}

/** A shard's logits, and its options. */
export function shardOf(problem: Problem, shard: Problem['shards'][number]) {
  const x = partOf(problem.logits, problem, shard);
  const mask = problem.mask && { mask: partOf(problem.mask, problem, shard) };
  const size = shard.end - shard.begin;
  const layout = problem.isAcross
    ? { shape: [size, problem.rows], axis: 0 }
    : { shape: [problem.rows, size] };
  return { x, given: { ...layout, ...mask }, offset: shard.begin };
}

/** The states of a problem's shards. */
export const statesOf = (api: Functions, problem: Problem): Float64Array[] =>
  problem.shards.map((shard) => {
    const { x, given, offset } = shardOf(problem, shard);
    return api.partial(x, { ...problem.options, ...given, offset, target: problem.target });
  });

/** The most likely classes of shards, and a token drawn of them, are those of whole rows. */
function topDifferenceOf(api: Functions, problem: Problem): string | undefined {
  const { rows, classes, logits, isAcross, shards } = problem;
  if (isAcross) return undefined;
  const most = 8;
  const parts = shards.map((shard) => {
    const { x, offset } = shardOf(problem, shard);
    const size = shard.end - shard.begin;
    return { ...api.topK(x, Math.min(most, size), { shape: [rows, size] }), offset };
  });
  const gathered = api.gatherTopK(parts, { classes, rows }) as Floats;
  const shape = [rows, classes];
  const [found, expected] = [gathered, logits].map((x) => api.topK(x, most, { shape }));
  if (!sameNumbers(found?.values as Floats, expected?.values as Floats)) return 'the values of topK';
  if (!sameNumbers(found?.indices as Int32Array, expected?.indices as Int32Array))
    return 'the indices of topK';
  const options = { shape, topK: most, topP: 0.9, temperature: 2, seed: classes };
  const [drawn, wanted] = [gathered, logits].map((x) => api.sample(x, options).tokens);
  return sameNumbers(drawn as Int32Array, wanted as Int32Array) ? undefined : 'the tokens of sample';
}

/** What of the shards has other bits than the whole rows; undefined: nothing. */
export function differenceOf(api: Functions, problem: Problem): string | undefined {
  const top = topDifferenceOf(api, problem);
  if (top !== undefined) return top;
  const { rows, classes, logits, isAcross, options, target, reduction, shards } = problem;
  const mask = problem.mask && { mask: problem.mask };
  const layout = isAcross ? { shape: [classes, rows], axis: 0 } : { shape: [rows, classes] };
  const whole = { ...layout, ...options, ...mask };
  const states = statesOf(api, problem);
  const state = api.mergePartials(states);
  const random = new Random(rows * classes);
  if (!sameNumbers(state, mergedAnyhow(random, api, states))) return 'another order of merging';
  if (!sameNumbers(state, api.partial(logits, { ...whole, target }))) return 'partial of the whole rows';
  const hasLimit = options.temperature === 0;
  if (!hasLimit && !sameNumbers(api.finishLogSumExp(state), api.logSumExp(logits, whole) as Floats))
    return 'finishLogSumExp';
  const probabilities = api.softmax(logits, whole) as Floats;
  const logProbabilities = api.logSoftmax(logits, whole) as Floats;
  const grad = new (logits.constructor as Float32ArrayConstructor)(logits.length) as Floats;
  const loss = hasLimit ? undefined : api.crossEntropy(logits, target, { ...whole, grad, reduction });
  for (const shard of shards) {
    const { x, given, offset } = shardOf(problem, shard);
    const expected = (values: Floats) => partOf(values, problem, shard);
    if (!sameNumbers(api.finishSoftmax(x, state, given) as Floats, expected(probabilities)))
      return 'finishSoftmax';
    if (!sameNumbers(api.finishLogSoftmax(x, state, given) as Floats, expected(logProbabilities)))
      return 'finishLogSoftmax';
    if (loss === undefined) continue;
    const own = api.finishCrossEntropy(x, target, state, { ...given, offset, reduction, grad: true });
    if (!sameNumbers(lossesOf(own.loss), lossesOf(loss.loss)) || own.count !== loss.count)
      return 'the loss of finishCrossEntropy';
    if (!sameNumbers(own.logSumExp as Floats, loss.logSumExp as Floats))
      return 'the logSumExp of finishCrossEntropy';
    if (!sameNumbers(own.grad as Floats, expected(grad))) return 'the gradient of finishCrossEntropy';
  }
  return undefined;
}
