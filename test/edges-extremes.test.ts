// Numbers at the ends of their range, and what subclasses and other realms may do.
import { runInNewContext } from 'node:vm';
import {
  crossEntropy,
  distillationLoss,
  logSoftmax,
  nllLoss,
  softmax,
  softmaxBackward,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';
import { ulpError } from './helpers/reference.js';

const index = Int32Array.of(1);

describe('a distillation at a high temperature', () => {
  // τ² KL(teacher ‖ student) → Var(teacher − student) / 2, with gradient (student − teacher − mean) / K, up to 1 / τ.
  const student = [1, 2, 3, -1];
  const teacher = [3, 2, 1, 0.5];
  const apart = student.map((s, i) => s - (teacher[i] as number));
  const mean = apart.reduce((a, b) => a + b) / 4;
  const variance = apart.reduce((a, y) => a + (y - mean) ** 2, 0) / 4;
  test.each([1e4, 1e6, 1e8, 1e12, 1e20, 1e40])('τ = %s', (temperature) => {
    for (const Values of [Float32Array, Float64Array]) {
      const options = { temperature, grad: true } as const;
      const { loss, grad } = distillationLoss(Values.from(student), Values.from(teacher), options);
      const tolerance = 1 / temperature + (Values === Float32Array ? 1e-7 : 1e-14);
      expect(Math.abs(loss - variance / 2)).toBeLessThan(tolerance);
      grad.forEach((value, i) => {
        expect(Math.abs(value - ((apart[i] as number) - mean) / 4)).toBeLessThan(tolerance);
      });
    }
  });
});

describe('no finite number overflows', () => {
  const huge = Float64Array.of(1.7e308, -1.7e308);
  test.each([0, 0.1])('float64 logits as far apart as they can be, label smoothing %s', (labelSmoothing) => {
    const at = (scale: number) => crossEntropy(huge, index, { scale, labelSmoothing }).loss;
    const share = 1 - labelSmoothing / 2;
    expect(at(1e-300) / (3.4e8 * share)).toBeCloseTo(1, 12);
    expect(at(1e-308)).toBeCloseTo(Math.log1p(Math.exp(-3.4)) + 3.4 * share, 12);
    expect(crossEntropy(huge, index, { temperature: Infinity, labelSmoothing }).loss).toBeCloseTo(
      Math.LN2,
      15,
    );
    expect([...logSoftmax(huge, { scale: 1e-300 })]).toEqual([0, -340000000]);
  });

  test('a gradient beyond its type is infinite', () => {
    const wide = crossEntropy(new Float64Array(3), index, { grad: true, gradOutput: 1e308, scale: 1e3 });
    expect([...wide.grad]).toEqual([Infinity, -Infinity, Infinity]);
    const narrow = crossEntropy(new Float32Array(3), index, { grad: true, gradOutput: 10, scale: 3e38 });
    expect([...narrow.grad]).toEqual([Infinity, -Infinity, Infinity]);
  });

  test.each([7e37, 1e38, -1e38])('the largest float32 logits at temperature %s: within 4 ULP', (signed) => {
    const x = Float32Array.of(3.4e38, -3.4e38, 1e38, 0);
    const [temperature, scale] = [Math.abs(signed), Math.sign(signed)];
    const z = Array.from(x, (value) => (value * scale) / temperature);
    const top = Math.max(...z);
    const sum = z.reduce((a, value) => a + Math.exp(value - top), 0);
    softmax(x, { temperature, scale }).forEach((p, i) => {
      const exact = Math.exp((z[i] as number) - top) / sum;
      expect(ulpError(p, exact)).toBeLessThanOrEqual(4);
    });
  });
});

describe('nothing times infinity', () => {
  const row = Float32Array.of(0, -Infinity);
  test('a class of weight 0 has no loss', () => {
    const weight = [1, 0];
    expect(crossEntropy(row, index, { weight, reduction: 'sum' }).loss).toBe(0);
    expect(crossEntropy(row, index, { weight, reduction: 'sum', labelSmoothing: 0.5 }).loss).toBe(0);
    expect(nllLoss(row, index, { weight, reduction: 'sum' }).loss).toBe(0);
    expect(crossEntropy(Float32Array.of(0, Number.NaN), index, { weight, reduction: 'sum' }).loss).toBeNaN();
  });

  test('but a tiny probability has', () => {
    const tiny = Float64Array.of(0, 1e-160);
    expect(crossEntropy(Float64Array.of(0, -Infinity), tiny).loss).toBe(Infinity);
    const { loss } = crossEntropy(Float64Array.of(0, 1), Float64Array.of(1e-160, 1e-160));
    expect(loss / (1e-160 * (2 * Math.log(1 + Math.E) - 1))).toBeCloseTo(1, 12);
  });
});

describe('arrays that are not quite ordinary', () => {
  test('of another realm: float64 stays float64', () => {
    const p = runInNewContext('Float64Array.of(0.3, 0.7)') as Float64Array;
    expect([...softmaxBackward(Float64Array.of(1, 0), p)]).toEqual([0.3 * (1 - 0.3), 0.7 * (0 - 0.3)]);
  });

  test('of another realm: float32 outputs have the bits of this one', () => {
    // Results in float and in double differ in some of these.
    const g = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i * 3.7));
    const p = Float32Array.from({ length: 40 }, (_, i) => Math.cos(i * 1.3));
    const out = runInNewContext('new Float32Array(40)') as Float32Array;
    softmaxBackward(g, p, { out });
    expect([...out]).toEqual([...softmaxBackward(g, p)]);
  });

  test('of a subclass: what it says of itself is not asked', () => {
    class Lying extends Uint16Array {
      override get length(): number {
        return 1;
      }
      override get byteOffset(): number {
        return 2;
      }
      override fill(): this {
        throw new Error('called');
      }
    }
    const options = { dtype: 'bfloat16' } as const;
    const honest = Uint16Array.of(0x3f80, 0x3f80, 0xff80, 0x3f80);
    expect(softmax(new Lying(honest), { ...options, out: new Uint16Array(4) })).toEqual(
      softmax(honest, options),
    );
    const out = new Lying(4);
    softmax(Uint16Array.of(0x7fc0, 0, 0, 0), { ...options, out });
    expect([0, 1, 2, 3].map((i) => out[i])).toEqual([0x7fc0, 0x7fc0, 0x7fc0, 0x7fc0]);
  });

  test('dtype must agree with an array for the gradient', () => {
    const call = () =>
      crossEntropy(new Float32Array(2), index, any({ dtype: 'float16', grad: new Float32Array(2) }));
    expect(call).toThrow("crossEntropy: grad is float32, but dtype says 'float16'");
    const wide = () => crossEntropy(new Float32Array(2), index, any({ dtype: 'float64' }));
    expect(wide).toThrow(
      'crossEntropy: dtype is float64 and logits is float32; float64 cannot be mixed with other types',
    );
  });

  test('an empty array, however long its other axes', () => {
    expect(softmax(new Float32Array(0), { shape: [...Array(21).fill(2 ** 52), 0] })).toHaveLength(0);
  });
});
