// KL(p_teacher ‖ p_student) of one row of logits each, as in native/kernels/divergence.h, which says why it is summed so.

import {
  BlockMemory,
  eachBlock,
  exponentialOf,
  type Normalizer,
  ShiftedLogits,
  smallestNormal,
} from './distribution.js';
import type { Values } from './exp.js';
import { logOnePlus } from './log.js';
import type { RowGradient } from './loss.js';
import { fill } from './rows.js';
import { canonical, type Scaling } from './scaling.js';
import { BlockSums, blockSize } from './tree.js';

/** Up to here differences of exponentials come from the series of exp(x) − 1. */
const seriesBound = 0.34;
const isSmall = (x: number): boolean => x >= -seriesBound && x <= seriesBound;

/** s(r) = (exp(r) − 1 − r) / r², for |r| ≤ ln 2 / 2. */
function expSeries(r: number): number {
  let s = 2.51003758422237e-8;
  s = s * r + 2.7620075892548164e-7;
  s = s * r + 0.0000027557268480289716;
  s = s * r + 0.00002480152132234228;
  s = s * r + 0.00019841269863040559;
  s = s * r + 0.0013888888917196736;
  s = s * r + 0.008333333333330065;
  s = s * r + 0.041666666666624164;
  s = s * r + 0.16666666666666669;
  return s * r + 0.5000000000000001;
}

const expMinusOne = (x: number): number => x + x * x * expSeries(x);

/** log(Σ_s / Σ_t), from their difference where they are nearly the same. */
function logRatio(s: Normalizer, t: Normalizer, difference: number): number {
  const q = difference / t.sum;
  return q >= -0.25 && q <= 0.25 ? logOnePlus(q, 0) : s.log - t.log;
}

/** A row of logits: values[begin], values[begin + 1], … */
export interface LogitRow {
  readonly values: Values;
  readonly begin: number;
}

const ofStudent = new BlockMemory();
const ofTeacher = new BlockMemory();
const terms = new Float64Array(blockSize);
const gradients = new Float64Array(blockSize);

const exponentialAt = ({ d, e }: BlockMemory, i: number): number =>
  exponentialOf(d[i] as number, e[i] as number);

/** exp(d_s) − exp(d_t) of a block, into `terms`. */
function setDifferences(count: number): void {
  for (let i = 0; i < count; i++) {
    const y = (ofStudent.d[i] as number) - (ofTeacher.d[i] as number);
    const e = exponentialAt(ofTeacher, i);
    terms[i] = isSmall(y) ? e * expMinusOne(y) : exponentialAt(ofStudent, i) - e;
  }
}

/** p_t (exp(x) − 1 − x) of a block, into `terms`, and p_s − p_t, into `gradients`. */
function setDivergences(count: number, ratio: number, studentScale: number, teacherScale: number): void {
  for (let i = 0; i < count; i++) {
    const x = (ofStudent.d[i] as number) - (ofTeacher.d[i] as number) - ratio;
    const e = exponentialAt(ofTeacher, i);
    const p = e * teacherScale;
    if (isSmall(x)) {
      const rest = x * x * expSeries(x);
      terms[i] = p * rest;
      gradients[i] = p * (x + rest);
    } else {
      const apart = exponentialAt(ofStudent, i) * studentScale - p;
      terms[i] = apart - (e < smallestNormal ? 0 : p * x);
      gradients[i] = apart;
    }
  }
}

/** `addend` is added to the gradient. A row without logits (none kept, or none) diverges by 0. */
export function divergenceRow(
  student: LogitRow,
  teacher: LogitRow,
  length: number,
  scaling: Scaling,
  isEmpty: boolean,
  grad: RowGradient | undefined,
  addend: LogitRow | undefined,
  gradFactor: number,
): number {
  /** `gradients` of a block. Adding 0 turns −0 into 0. */
  const write = (from: number, count: number): void => {
    if (!grad) return;
    const { values, begin } = grad;
    for (let i = 0; i < count; i++) {
      const more = addend ? (addend.values[addend.begin + from + i] as number) : 0;
      values[begin + from + i] = canonical((gradients[i] as number) * gradFactor + more);
    }
  };
  const writeAll = (gradient: number): void => {
    fill(gradients, 0, Math.min(length, blockSize), gradient);
    eachBlock(length, write);
  };
  if (isEmpty) {
    writeAll(0);
    return 0;
  }
  const s = new ShiftedLogits(student.values, student.begin, length, scaling, ofStudent);
  const t = new ShiftedLogits(teacher.values, teacher.begin, length, scaling, ofTeacher);
  if (!(s.isProper && t.isProper)) {
    writeAll(Number.NaN);
    return Number.NaN;
  }
  const differences = new BlockSums();
  eachBlock(length, (from, count) => {
    s.take(from, count);
    t.take(from, count);
    setDifferences(count);
    differences.add(terms, count);
  });
  const studentSums = s.normalizer();
  const teacherSums = t.normalizer();
  const ratio = logRatio(studentSums, teacherSums, differences.total());
  const studentScale = 1 / studentSums.sum;
  const teacherScale = 1 / teacherSums.sum;
  const divergences = new BlockSums();
  eachBlock(length, (from, count) => {
    s.takeAgain(from, count);
    t.takeAgain(from, count);
    setDivergences(count, ratio, studentScale, teacherScale);
    divergences.add(terms, count);
    write(from, count);
  });
  return divergences.total();
}
