// What each call of half-calls.ts must give in a row.

import { exp, fromNumber, multiply, negative, subtract } from '../../test/helpers/double-double.js';
import { formats } from '../../test/helpers/exact-row.js';
import { Distribution, type Exact, float64Unit, sumOf } from './half-rows.js';

/** A row's numbers, and those beside it. */
export interface Row {
  readonly x: readonly number[];
  readonly numbers: readonly number[];
  readonly probabilities: readonly number[];
  readonly logProbabilities: readonly number[];
  readonly target: number;
}

const { NaN: nan } = Number;
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const areFinite = (...rows: readonly (readonly number[])[]) =>
  rows.every((row) => row.every(Number.isFinite));
/** Of what a formula with infinities and NaN gives, only those are stated. */
const special = (value: number): Exact => (Number.isFinite(value) ? undefined : value);

/** p (g − Σ g p). */
function softmaxBackward(g: readonly number[], p: readonly number[]): Exact[] {
  if (!areFinite(g, p)) {
    const sum = total(g.map((value, i) => value * (p[i] as number)));
    return g.map((value, i) => special((value - sum) * (p[i] as number)));
  }
  const exact = g.map((value, i) => multiply(fromNumber(value), fromNumber(p[i] as number)));
  const sum = sumOf(exact);
  const size = total(exact.map(({ high }) => Math.abs(high)));
  return g.map((value, i) => {
    const factor = p[i] as number;
    const result = multiply(subtract(fromNumber(value), sum), fromNumber(factor));
    return { ...result, unit: float64Unit * (Math.abs(value) + size) * Math.abs(factor) };
  });
}

/** g − exp(y) Σ g; an exp beyond ±700 is taken for 0, as no log-probability is there. */
function logSoftmaxBackward(g: readonly number[], y: readonly number[]): Exact[] {
  const isOutside = (value: number) => Math.abs(value) > 700;
  const sum = total(g);
  const exactSum = areFinite(g) ? sumOf(g.map(fromNumber)) : undefined;
  const size = total(g.map(Math.abs));
  return g.map((value, i) => {
    const log = y[i] as number;
    if (!exactSum || Number.isNaN(log)) return special(value - (isOutside(log) ? 0 : Math.exp(log)) * sum);
    if (isOutside(log)) return fromNumber(value);
    // Far beyond the numbers of either type.
    if (log > 300 && exactSum.high !== 0) return -Math.sign(exactSum.high) * Number.POSITIVE_INFINITY;
    const power = exp(fromNumber(log));
    const unit = float64Unit * (Math.abs(value) + power.high * size);
    return { ...subtract(fromNumber(value), multiply(power, exactSum)), unit };
  });
}

function softmaxJacobian(p: readonly number[]): Exact[] {
  return p.flatMap((a, i) =>
    p.map((b, j) => {
      const delta = i === j ? 1 : 0;
      if (!areFinite([a, b])) return special(a * (delta - b));
      return multiply(fromNumber(a), subtract(fromNumber(delta), fromNumber(b)));
    }),
  );
}

/** Probabilities that are infinite have no meaning; one that is NaN shows. */
const onlyNan = (q: readonly number[]): Exact => (q.some(Number.isNaN) ? nan : undefined);

/** ∂/∂z of Σ q_c (log Σ − z_c): p_c Σ q − q_c. */
function distributionGradient(p: Distribution, q: readonly number[]): Exact[] {
  if (p.isNan) return q.map(() => nan);
  if (!areFinite(q)) return q.map(() => onlyNan(q));
  const sum = sumOf(q.map(fromNumber));
  const size = total(q.map(Math.abs));
  return q.map((value, i) => {
    const product = multiply(p.probability(i), sum);
    const unit = float64Unit * (p.probability(i).high * size + Math.abs(value));
    return { ...subtract(product, fromNumber(value)), unit };
  });
}

function distributionLoss(p: Distribution, q: readonly number[]): Exact {
  if (p.isNan) return nan;
  if (areFinite(q)) return p.crossEntropy(q);
  return onlyNan(q);
}

function divergence(teacher: Distribution, student: Distribution, length: number): Exact[][] {
  const places = Array.from({ length }, (_, i) => i);
  if (teacher.isNan || student.isNan) return [[nan], places.map(() => nan)];
  const gradient = places.map((i) => subtract(student.probability(i), teacher.probability(i)));
  return [[teacher.divergence(student)], gradient];
}

const alone = new Map<string, Distribution>();
/** Of numbers that come again and again. */
function distributionOf(logits: readonly number[]): Distribution {
  const key = logits.join();
  const found = alone.get(key) ?? new Distribution(logits, formats.float64);
  alone.set(key, found);
  return found;
}

/** The outputs of each call, element by element. */
export function exactResults({
  x,
  numbers,
  probabilities,
  logProbabilities,
  target,
}: Row): Record<string, Exact[][]> {
  const short = new Distribution(x, formats.float32);
  const wide = new Distribution(x, formats.float64);
  const given = distributionOf(numbers);
  const each = (exact: (i: number) => Exact) => x.map((_, i) => (short.isNan ? nan : exact(i)));
  const isTargetGone = x[target] === Number.NEGATIVE_INFINITY;
  // Where flushed exponentials would show (docs/numerics.md), nothing is stated.
  const shown = (exact: Exact) =>
    typeof exact === 'object' && exact.high !== 0 && Math.abs(exact.high) < 2 ** -100 * x.length
      ? undefined
      : exact;
  const probability = (i: number): Exact => (short.isFlushed(i) ? 0 : short.probability(i));
  const logProbability = (i: number): Exact => {
    const exact = short.logProbability(i);
    return exact ? { ...exact, unit: short.unit } : Number.NEGATIVE_INFINITY;
  };
  const logTarget = short.isNan ? undefined : short.logProbability(target);
  const loss = short.isNan
    ? nan
    : isTargetGone
      ? Infinity
      : shown(negative(logTarget as NonNullable<typeof logTarget>));
  return {
    softmax: [each(probability)],
    'softmax across': [each(probability)],
    logSoftmax: [each(logProbability)],
    logSumExp: [[short.logSumExp()]],
    entropy: [[short.isNan ? nan : shown(short.entropy())]],
    'softmaxBackward of gradients': [softmaxBackward(x, probabilities)],
    'softmaxBackward of probabilities': [softmaxBackward(numbers, x)],
    'logSoftmaxBackward of gradients': [logSoftmaxBackward(x, logProbabilities)],
    'logSoftmaxBackward of log-probabilities': [logSoftmaxBackward(numbers, x)],
    softmaxJacobian: [softmaxJacobian(x)],
    'crossEntropy of logits, classes': [
      [loss],
      each((i) => (i === target ? shown(short.gradient(i, target)) : probability(i))),
      [short.logSumExp()],
    ],
    'crossEntropy of logits, probabilities': [
      [distributionLoss(wide, probabilities)],
      distributionGradient(wide, probabilities),
      [short.logSumExp()],
    ],
    'crossEntropy of probabilities': [
      [distributionLoss(given, x)],
      distributionGradient(given, x),
      [given.logSumExp()],
    ],
    nllLoss: [[-(x[target] as number)], x.map((_, i) => (i === target ? -1 : 0))],
    'distillationLoss of students': divergence(given, wide, x.length),
    'distillationLoss of teachers': divergence(wide, given, x.length),
  };
}
