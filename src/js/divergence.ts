// KL(p_teacher ‖ p_student) of one row of logits each, as in native/kernels/divergence.h.

import { canonical, termSum } from './backward.js';
import { belowTop, Normalizer, ShiftedLogits } from './distribution.js';
import { exponential, type Values } from './exp.js';
import type { RowGradient } from './loss.js';
import type { Scaling } from './scaling.js';

const smallestNormal = 2 ** -1022;

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
  const normalizerOf = (logits: ShiftedLogits): Normalizer =>
    new Normalizer(
      termSum(length, (c) => exponential(logits.at(c))),
      termSum(length, (c) => belowTop(logits.at(c), exponential(logits.at(c)))),
    );
  const ofStudent = normalizerOf(s);
  const ofTeacher = normalizerOf(t);
  const cross = termSum(length, (c) => {
    const e = exponential(t.at(c));
    return e < smallestNormal ? 0 : e * (t.at(c) - s.at(c));
  });
  const divergence = cross / ofTeacher.sum + (ofStudent.log - ofTeacher.log);
  const studentScale = 1 / ofStudent.sum;
  const teacherScale = 1 / ofTeacher.sum;
  write((c) => exponential(s.at(c)) * studentScale - exponential(t.at(c)) * teacherScale);
  return divergence < 0 ? 0 : divergence;
}
