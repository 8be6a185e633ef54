// Plain calls (src/operations/fast-path.ts): float32 along the last axis. Their short way, in native code and in JavaScript,
// gives the bits of the general one, and the tiniest rows go to JavaScript only where nothing is forced.
import { describe, expect, it, test } from 'vitest';
import { chooseBackend } from '../../src/backends/choose.js';
import { jsKernels } from '../../src/backends/js/kernels.js';
import type { Elements, Kernels, PlainKernels } from '../../src/backends/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { tinyElements, tinyNewElements, withTinyRows } from '../../src/backends/tiny.js';
import { firstDifference } from '../helpers/kernel-problems.js';
import { plainKernels } from '../helpers/plain-kernels.js';
import { Random } from '../helpers/random.js';

const addon = loadAddon();
const random = new Random(20261126);
const pick = <Value>(values: readonly Value[]): Value => values[random.integer(values.length)] as Value;
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const specials = [nan, infinity, -infinity, 1e30, -1e30, 3.4e38, -3.4e38, 1e-42, 0, -0, 1024, -1024.5];

/** Every scale of logits, ties, rows of one value; one in three has special values. */
function values(length: number): Float32Array {
  const scale = pick([0, 1, 1, 12, 60, 300, 1023, 5000, 1e30]);
  const [isSpecial, isTied] = [random.uniform() < 0.3, random.uniform() < 0.2];
  const some = pick([specials, [-infinity], [1e-42, -0, 0], [nan]]);
  return Float32Array.from({ length }, () => {
    if (isSpecial && random.uniform() < 0.3) return pick(some);
    const value = random.uniform(-scale, scale);
    return isTied ? Math.round(value) : value;
  });
}

type Run = (plain: PlainKernels) => readonly Elements['data'][];

/** One of each function, in place or not. */
function problems(rows: number, length: number): readonly [name: string, run: Run][] {
  const elements = rows * length;
  const [x, y] = [values(elements), values(elements)];
  const classes = Int32Array.from({ length: rows }, () => random.integer(length + 1) - 1);
  const gradLoss = pick([1, -0.25, 1e-30, 0]);
  const inPlace = random.uniform() < 0.3;
  const pair = () => {
    const input = x.slice();
    return [input, inPlace ? input : new Float32Array(elements).fill(7)] as const;
  };
  const one = (name: 'softmax' | 'logSoftmax'): Run => {
    return (plain) => {
      const [input, out] = pair();
      plain[name](input, out, elements, length);
      return [out];
    };
  };
  const two = (name: 'softmaxBackward' | 'logSoftmaxBackward'): Run => {
    return (plain) => {
      const [input, out] = pair();
      plain[name](input, y, out, elements, length);
      return [out];
    };
  };
  const loss: Run = (plain) => {
    const [input, grad] = pair();
    plain.batch.classes.set(classes);
    plain.crossEntropy(input, grad, elements, length, gradLoss);
    return [grad, plain.batch.loss.slice(0, rows), plain.batch.logSumExp.slice(0, rows)];
  };
  return [
    ['softmax', one('softmax')],
    ['logSoftmax', one('logSoftmax')],
    ['softmaxBackward', two('softmaxBackward')],
    ['logSoftmaxBackward', two('logSoftmaxBackward')],
    ['crossEntropy', loss],
  ];
}

const lengths = [...Array.from({ length: 34 }, (_, i) => i + 1), 64, 100, 257, 4097];

describe('plain kernels have the bits of the general ones', () => {
  const general = plainKernels(jsKernels);
  const backends: readonly [string, Kernels][] = [
    ['JavaScript', jsKernels],
    ...addon.supported.map((isa) => [isa, addon.engineOf(isa).kernels] as [string, Kernels]),
    [`${addon.supported[0]} with tiny rows`, withTinyRows(addon.engineOf(addon.supported[0]).kernels)],
  ];
  it.each(backends)('%s', (_name, { plain }) => {
    for (const length of lengths)
      for (let i = 0; i < (length > 64 ? 10 : 60); i++) {
        const rows = pick([1, 1, 2, 3, 64]);
        for (const [name, run] of problems(rows, length)) {
          const difference = firstDifference(run(general), run(plain));
          expect(difference, `${name} of ${rows} x ${length}, number ${i}`).toBeUndefined();
        }
      }
  });

  it('a lone logit, whatever it is', () => {
    const [x, out, wanted] = [new Float32Array(1), new Float32Array(1), new Float32Array(1)];
    for (let exponent = -150; exponent < 128; exponent++)
      for (const mantissa of [1, 1.25, 1.9999999, -1, -1.75])
        for (const name of ['softmax', 'logSoftmax'] as const) {
          x[0] = mantissa * 2 ** exponent;
          jsKernels.plain[name](x, out, 1, 1);
          general[name](x, wanted, 1, 1);
          expect(firstDifference([wanted], [out]), `${name} of ${x[0]}`).toBeUndefined();
        }
  });
});

describe('where plain calls go', () => {
  const names = ['softmax', 'logSoftmax', 'softmaxBackward', 'logSoftmaxBackward'] as const;
  /** Native code alone looks at the lengths again, which the functions have checked. */
  const isNative = (plain: PlainKernels, name: (typeof names)[number], elements: number): boolean => {
    const [none, input] = [new Float32Array(0), new Float32Array(elements)];
    try {
      if (name === 'softmax' || name === 'logSoftmax') plain[name](input, none, elements, elements);
      else plain[name](input, input, none, elements, elements);
      return false;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_DETACHED' });
      return true;
    }
  };

  test.each(names)('%s: up to the crossover to JavaScript', (name) => {
    const { kernels } = chooseBackend({}).engine;
    for (let elements = 1; elements <= 64; elements++) {
      const { plain, plainNew } = kernels;
      expect(isNative(plain, name, elements), `${elements}`).toBe(elements > tinyElements[name]);
      expect(isNative(plainNew, name, elements), `${elements}, new`).toBe(elements > tinyNewElements[name]);
    }
  });

  test.each(names)('%s: what is forced serves all of them', (name) => {
    // Prebuilt binaries do not all have scalar kernels.
    const [isa, slowest = isa] = [addon.supported[0], addon.supported.at(-1)];
    for (const env of [{ SOFTMAX_BACKEND: 'native' }, { SOFTMAX_ISA: isa }, { SOFTMAX_ISA: slowest }])
      for (const key of ['plain', 'plainNew'] as const)
        expect(isNative(chooseBackend(env).engine.kernels[key], name, 1), JSON.stringify(env)).toBe(true);
    const { plain, plainNew } = chooseBackend({ SOFTMAX_BACKEND: 'js' }).engine.kernels;
    for (const kernels of [plain, plainNew]) expect(isNative(kernels, name, 64)).toBe(false);
  });
});
