// KL(p_teacher ‖ p_student) of one row of logits each, as in native/kernels/divergence.h, which says why it is summed so.

import { type Normalizer, normalize, ShiftedLogits, smallestNormal } from './distribution.js';
import { exponential, expSeries, type Values } from './exp.js';
import { logOnePlus } from './log.js';
import type { RowGradient } from './loss.js';
import { canonical, type Scaling } from './scaling.js';
import { termSum } from './tree.js';

/** Up to here differences of exponentials come from the series of exp(x) − 1. */
const seriesBound = 0.34;
const isSmall = (x: number): boolean => x >= -seriesBound && x <= seriesBound;
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
  const write = (gradient: (c: number) => number): void => {
    if (!grad) return;
    for (let c = 0; c < length; c++) {
      const more = addend ? (addend.values[addend.begin + c] as number) : 0;
      grad.values[grad.begin + c] = canonical(gradient(c) * gradFactor + more);
    }
  };
  const s = new ShiftedLogits(student.values, student.begin, length, scaling);
  const t = new ShiftedLogits(teacher.values, teacher.begin, length, scaling);
  if (isEmpty) {
    write(() => 0);
    return 0;
  }
  if (!(s.isProper && t.isProper)) {
    write(() => Number.NaN);
    return Number.NaN;
  }
  const ofStudent = normalize(s, length);
  const ofTeacher = normalize(t, length);
  const difference = termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) {
      const y = s.at(from + i) - t.at(from + i);
      const e = exponential(t.at(from + i));
      terms[i] = isSmall(y) ? e * expMinusOne(y) : exponential(s.at(from + i)) - e;
    }
  });
  const ratio = logRatio(ofStudent, ofTeacher, difference);
  const studentScale = 1 / ofStudent.sum;
  const teacherScale = 1 / ofTeacher.sum;
  const divergence = termSum(length, (terms, from, count) => {
    for (let i = 0; i < count; i++) {
      const x = s.at(from + i) - t.at(from + i) - ratio;
      const e = exponential(t.at(from + i));
      const p = e * teacherScale;
      if (isSmall(x)) terms[i] = p * (x * x * expSeries(x));
      else terms[i] = exponential(s.at(from + i)) * studentScale - p - (e < smallestNormal ? 0 : p * x);
    }
  });
  write((c) => {
    const x = s.at(c) - t.at(c) - ratio;
    const p = exponential(t.at(c)) * teacherScale;
    return isSmall(x) ? p * expMinusOne(x) : exponential(s.at(c)) * studentScale - p;
  });
  return divergence;
}
