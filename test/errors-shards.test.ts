// Wrong calls of the functions on sharded rows: type, code and message, and nothing written.

import {
  finishCrossEntropy,
  finishLogSoftmax,
  finishLogSumExp,
  finishSoftmax,
  finishSoftmaxAsync,
  gatherTopK,
  mergePartials,
  partial,
  partialAsync,
} from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, expectError } from './helpers/calls.js';

const x = Float32Array.of(1, 2, 3, 4, 5, 6);
const shape = [2, 3] as const;
const target = [0, 4];
const state = partial(x, { shape, target });
/** Two nodes: blocks 0 and 2 of a row. */
const long = new Float32Array(4096);
const far = mergePartials([partial(long), partial(long, { offset: 8192 })]);

function changed(of: Float64Array, index: number, value: number): Float64Array {
  const copy = of.slice();
  copy[index] = value;
  return copy;
}

describe('states that are none', () => {
  const none: readonly [what: string, state: unknown, message: RegExp][] = [
    [
      'nothing',
      undefined,
      /must be a Float64Array that partial or mergePartials made, or its bytes, got undefined$/,
    ],
    ['an array', Array.from(state), /got a plain array$/],
    ['floats', Float32Array.from(state), /got Float32Array$/],
    ['bytes that are no numbers', new Uint8Array(7), /got Uint8Array$/],
    ['no number of classes', changed(state, 6, -1), /was cut short or changed$/],
    ['an empty one', new Float64Array(0), /is no state that partial made$/],
    ['numbers', Float64Array.from({ length: state.length }, (_, i) => i), /is no state that partial made$/],
    ['another version', changed(state, 1, 2), /is a state of version 2, not 1$/],
    ['another dtype', changed(state, 2, 16), /was cut short or changed$/],
    ['more rows', changed(state, 3, 3), /was cut short or changed$/],
    ['half a row', changed(state, 3, 1.5), /was cut short or changed$/],
    ['rows without end', changed(state, 3, Infinity), /was cut short or changed$/],
    ['no number of nodes', changed(state, 4, NaN), /was cut short or changed$/],
    ['nodes without end', changed(state, 4, 2 ** 53), /was cut short or changed$/],
    ['a flag', changed(state, 5, 2), /was cut short or changed$/],
    ['cut short', state.slice(0, -1), /was cut short or changed$/],
    ['too long', Float64Array.from([...state, 0]), /was cut short or changed$/],
    [
      'a range backwards',
      changed(state, 8, -1),
      /has classes from 0 to -1, which are none or are not in order$/,
    ],
    ['a range of halves', changed(state, 7, 0.5), /has classes from 0.5 to 3/],
    ['ranges that overlap', changed(far, 9, 4000), /has classes from 4000 to 12288/],
    ['no multiplier', changed(state, 9, NaN), /has numbers in row 0 that no state has$/],
    ['a multiplier of another sign', changed(state, 22, -1), /has numbers in row 1 that no state has$/],
    ['an arg max that is none', changed(state, 10, 0.5), /has numbers in row 0 that no state has$/],
    ['a target that is none', changed(state, 11, -2), /has numbers in row 0 that no state has$/],
    ['a maximum that is NaN', changed(state, 13, NaN), /has numbers in row 0 that no state has$/],
    ['a sum below 0', changed(state, 14, -1), /has numbers in row 0 that no state has$/],
    ['a sum of 0', changed(state, 27, 0), /has numbers in row 1 that no state has$/],
    [
      'a sum less than any exponential',
      changed(state, 27, 1e-300),
      /has numbers in row 1 that no state has$/,
    ],
    ['a sum beyond all', changed(state, 14, 1e300), /has numbers in row 0 that no state has$/],
    ['a sum of nothing', changed(state, 13, Number.NEGATIVE_INFINITY), /has numbers in row 0 that no state/],
    ['a sum of the others beyond all', changed(state, 18, 1e300), /has numbers in row 0 that no state has$/],
  ];
  test.each(none)('%s', (_what, given, message) => {
    const out = new Float32Array(6).fill(7);
    const calls: [name: string, argument: string, call: () => unknown][] = [
      ['mergePartials', 'parts[1]', () => mergePartials([state, any(given)])],
      ['finishLogSumExp', 'state', () => finishLogSumExp(any(given))],
      ['finishSoftmax', 'state', () => finishSoftmax(x, any(given), { shape, out })],
      ['finishLogSoftmax', 'state', () => finishLogSoftmax(x, any(given), { shape, out })],
      ['finishCrossEntropy', 'state', () => finishCrossEntropy(x, target, any(given), { shape, grad: out })],
    ];
    for (const [fn, argument, call] of calls) {
      const error = errorOf(call);
      expect(error).toMatchObject({ code: 'ERR_STATE', fn });
      expect(error.argument).toBe(argument);
      expect(error.message).toMatch(message);
      expect(error.message.startsWith(`${fn}: ${argument} `)).toBe(true);
    }
    expect(out).toEqual(new Float32Array(6).fill(7));
  });

  const codes = ['ERR_STATE', 'ERR_SHAPE', 'ERR_DTYPE', 'ERR_OPTION', 'ERR_TEMPERATURE', 'ERR_TARGET_RANGE'];
  test('any number of a state may be any other: an error or a result, never a crash', () => {
    for (const of of [state, far])
      for (let i = 0; i < of.length; i++)
        for (const value of [NaN, Infinity, -Infinity, -1, 0, 0.5, 1e300, 2 ** 31, 2 ** 53, 5e-324]) {
          const given = changed(of, i, value);
          for (const call of [
            () => finishLogSumExp(given),
            () => finishSoftmax(x, given, { shape }),
            () => finishCrossEntropy(x, target, given, { shape, grad: true }),
            () => mergePartials([given, partial(long, { offset: 4096 })]),
          ]) {
            const error = errorOf(call, true);
            if (error) expect(codes).toContain(error.code);
          }
        }
  });
});

interface Thrown {
  readonly code: string;
  readonly fn: string;
  readonly argument: string;
  readonly message: string;
}
function errorOf(call: () => unknown, mayPass = false): Thrown {
  try {
    call();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) return error as unknown as Thrown;
    throw error;
  }
  if (!mayPass) throw new Error('nothing was thrown');
  return undefined as never;
}

describe('states that do not belong together', () => {
  const alone: readonly [what: string, other: Float64Array, message: string][] = [
    [
      'classes twice',
      partial(x, { shape, target, offset: 2 }),
      'parts[1] has classes from 2 on, which parts[0] has, too',
    ],
    ['other rows', partial(x, { target: [0], offset: 3 }), 'parts[1] has 1 rows, but parts[0] has 2'],
    [
      'another dtype',
      partial(Float64Array.from(x), { shape, target, offset: 3 }),
      'parts[1] is of another dtype than parts[0]: float64 cannot be mixed with other types',
    ],
    ['no target', partial(x, { shape, offset: 3 }), 'parts[1] has no target, other than parts[0]'],
    [
      'other targets',
      partial(x, { shape, target: [0, 5], offset: 3 }),
      'parts[1] has another target than parts[0] in row 1',
    ],
    [
      'another temperature',
      partial(x, { shape, target, offset: 3, temperature: [1, 2] }),
      'parts[1] has another temperature or scale than parts[0] in row 1',
    ],
  ];
  test.each(alone)('%s', (_what, other, message) => {
    const wanted = {
      code: 'ERR_STATE',
      fn: 'mergePartials',
      argument: 'parts',
      message: `mergePartials: ${message}`,
    } as const;
    expectError('RangeError', wanted, () => mergePartials([state, other]));
  });

  test('none at all', () => {
    expect(() => mergePartials([])).toThrow('mergePartials: parts has no states');
    expect(() => mergePartials(any(state))).toThrow(
      'mergePartials: parts must be an array of states, got Float64Array',
    );
  });
});

describe('what is made of a state', () => {
  test('needs all classes', () => {
    const message = 'has no classes from 4096 to 8191: a shard is missing';
    expect(() => finishLogSumExp(far)).toThrow(`finishLogSumExp: state ${message}`);
    expect(() => finishSoftmax(long, far)).toThrow(`finishSoftmax: state ${message}`);
    const second = partial(x, { offset: 1 });
    expect(() => finishLogSumExp(second)).toThrow('state has no classes from 0 to 0: a shard is missing');
  });

  test('has all classes, as far as it knows how many there are', () => {
    const part = partial(x, { classes: 8 });
    expect(() => finishLogSumExp(part)).toThrow('state has no classes from 6 to 7: a shard is missing');
    const whole = mergePartials([part, partial(x.subarray(0, 2), { offset: 6 })]);
    expect(finishLogSumExp(whole)).toHaveLength(1);
    expect(() => mergePartials([part, partial(x.subarray(0, 2), { offset: 6, classes: 9 })])).toThrow(
      'mergePartials: parts[1] is of 9 classes, but parts[0] of 8',
    );
    expect(() => partial(x, { classes: 5 })).toThrow('partial: x has classes up to 6, but whole rows have 5');
    expect(() => partial(x, { classes: 8, target: [8] })).toThrow('partial: target[0] = 8 is outside [0, 8)');
    expect(() => finishSoftmax(new Float32Array(9), whole)).toThrow(
      'finishSoftmax: x has classes up to 9, but state has 8',
    );
  });

  test('needs the offset of the logits that a gradient is of', () => {
    const whole = partial(x, { target: [1] });
    const some = x.subarray(0, 2);
    expect(() => finishCrossEntropy(some, [1], whole)).toThrow(
      'finishCrossEntropy: offset is missing: x has 2 of the 6 classes',
    );
    expect(() => finishCrossEntropy(some, [1], whole, { offset: 5 })).toThrow(
      'finishCrossEntropy: x has classes up to 7, but state has 6',
    );
    expect(finishCrossEntropy(some, [1], whole, { offset: 4 }).count).toBe(1);
  });

  test('needs its rows, dtype, targets, and a temperature above 0', () => {
    expect(() => finishSoftmax(x, state)).toThrow('finishSoftmax: state has 2 rows, but x has 1');
    expect(() => finishSoftmax(Float64Array.from(x), state, { shape })).toThrow(
      'finishSoftmax: state is of float32 rows and x is float64',
    );
    expect(() => finishCrossEntropy(x, [0, 4], partial(x, { shape }), { shape })).toThrow(
      'finishCrossEntropy: target[1] = 4 is outside [0, 3)',
    );
    expect(() => finishCrossEntropy(x, [0, 2], partial(x, { shape }), { shape })).toThrow(
      'finishCrossEntropy: state has no target: partial takes it as an option',
    );
    expect(() => finishCrossEntropy(x, [0, 1], partial(x, { shape, target: [0, 2] }), { shape })).toThrow(
      'finishCrossEntropy: target[1] is not the 2 that state was made with',
    );
    const cold = partial(x, { shape, temperature: 0 });
    expect(() => finishLogSumExp(cold)).toThrow(
      'finishLogSumExp: state is of temperature 0 in row 0, which has no limit here',
    );
    expect(() => finishSoftmax(x, state, any({ shape, temperature: 2 }))).toThrow(
      'temperature is not an option of finishSoftmax',
    );
  });

  test('rejects where it would throw', async () => {
    await expect(finishSoftmaxAsync(x, state)).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      fn: 'finishSoftmax',
    });
    await expect(partialAsync(x, { offset: -1 })).rejects.toMatchObject({
      code: 'ERR_OPTION',
      fn: 'partial',
    });
  });
});

describe('partial', () => {
  test.each([
    [
      { offset: -1 },
      'partial: offset must be the number of the first class, an integer of at least 0, got -1',
    ],
    [
      { offset: 0.5 },
      'partial: offset must be the number of the first class, an integer of at least 0, got 0.5',
    ],
    [
      { offset: '0' },
      'partial: offset must be the number of the first class, an integer of at least 0, got "0"',
    ],
    [{ offset: 2 ** 31 - 3 }, 'partial: x has classes up to 2147483651; class indices go to 2147483647'],
    [{ target: [1, -5], shape }, 'partial: target[1] = -5 is outside [0, 2147483647)'],
    [{ out: x }, 'partial: out is not an option of partial'],
    [{ offsets: 3 }, 'partial: offsets is not an option; did you mean offset?'],
  ])('%j', (options, message) => {
    expect(() => partial(x, any(options))).toThrow(message);
  });
});

test('a getter of the offset is asked once', () => {
  let asked = 0;
  const whole = partial(x, { target: [1] });
  finishCrossEntropy(x, [1], whole, {
    get offset() {
      asked++;
      return 0;
    },
  });
  expect(asked).toBe(1);
});

test('an output in the memory of a state', () => {
  const double = Float64Array.from(x);
  const of = partial(double);
  const before = of.slice();
  expect(() => finishSoftmax(double, of, { out: of.subarray(0, 6) })).toThrow(
    'finishSoftmax: out overlaps state',
  );
  expect(of).toEqual(before);
});

describe('gatherTopK', () => {
  const part = { values: Float32Array.of(3, 2), indices: Int32Array.of(2, 1) };
  test.each<[unknown, unknown, string]>([
    [[part], {}, 'gatherTopK: classes must be an integer of at least 0, got undefined'],
    [[part], { classes: 2.5 }, 'gatherTopK: classes must be an integer of at least 0, got 2.5'],
    [[part], { classes: 2 }, 'gatherTopK: parts[0].indices[0] = 2 from 0 on is outside [0, 2)'],
    [
      [{ ...part, offset: 7 }],
      { classes: 9 },
      'gatherTopK: parts[0].indices[0] = 2 from 7 on is outside [0, 9)',
    ],
    [[part], { classes: 3, rows: 3 }, 'gatherTopK: parts[0] has 2 values and 2 indices, of 3 rows'],
    [
      [{ ...part, indices: new Int32Array(3) }],
      { classes: 3 },
      'gatherTopK: parts[0] has 2 values and 3 indices, of 1 rows',
    ],
    [[part, part], { classes: 3 }, 'gatherTopK: parts[1] has class 2, which another part has, too'],
    [part, { classes: 3 }, 'gatherTopK: parts must be an array of what topK returned, got an object'],
    [
      [null],
      { classes: 3 },
      'gatherTopK: parts[0] must be an object of what topK returned, { values, indices, offset }, got null',
    ],
  ])('%#', (parts, options, message) => {
    expect(() => gatherTopK(any(parts), any(options))).toThrow(message);
  });
});

describe("logits above the largest of their row's state, which are of another row", () => {
  const nan = Number.NaN;
  test.each([
    ['float32', Float32Array],
    ['float64', Float64Array],
  ])('make NaN of its results: %s', (_, Floats) => {
    const own = Floats.from([1, 2, 3, 4, 5, 6]);
    const known = partial(own, { shape, target: [0, 1] });
    const others = own.slice();
    others[1] = 3.25;
    const alone = Array.from(finishSoftmax(own, known, { shape }));
    expect(Array.from(finishSoftmax(others, known, { shape }))).toEqual([nan, nan, nan, ...alone.slice(3)]);
    const logs = Array.from(finishLogSoftmax(own, known, { shape }));
    expect(Array.from(finishLogSoftmax(others, known, { shape }))).toEqual([nan, nan, nan, ...logs.slice(3)]);
    const { grad } = finishCrossEntropy(others, [0, 1], known, { shape, grad: true });
    // The target's is known of the row without them.
    expect(Array.from(grad).map(Number.isNaN)).toEqual([false, true, true, false, false, false]);
    // Across, in a unit with rows of the state.
    const acrossState = partial(own, { shape: [2, 3], axis: 0 });
    const across = Array.from(finishSoftmax(others, acrossState, { shape: [2, 3], axis: 0 }));
    expect(across.map(Number.isNaN)).toEqual([false, false, false, false, false, false]);
    others[1] = 5.25;
    const foreign = Array.from(finishSoftmax(others, acrossState, { shape: [2, 3], axis: 0 }));
    expect(foreign.map(Number.isNaN)).toEqual([false, true, false, false, true, false]);
  });
});
