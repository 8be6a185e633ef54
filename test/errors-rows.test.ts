// Errors of masks and of temperatures of rows: type, code, details and message, and nothing written.

import { softmax } from 'softmax-native';
import { describe, test } from 'vitest';
import {
  detached,
  expectError,
  marked,
  markedOut,
  outKey,
  outOfBounds,
  scaled,
  type Wanted,
  zeros,
} from './helpers/calls.js';

describe('mask', () => {
  const check = (type: 'TypeError' | 'RangeError', mask: unknown, text: string, shape = [2, 3]) => {
    for (const fn of scaled) {
      const output = markedOut(fn, 2);
      const wanted = {
        code: 'ERR_MASK',
        fn: fn.name,
        argument: 'mask',
        message: `${fn.name}: ${text}`,
      } as const;
      const options = { shape, mask, [outKey(fn)]: output };
      const rows = fn.name === 'crossEntropy' ? { ...options, reduction: 'none' } : options;
      expectError(type, wanted, () => fn.call(fn.inputs.at(-1) ?? '', marked(6), rows), output);
    }
  };
  test('of a wrong kind', () => {
    const ofBias = 'Uint8Array.from(mask, (bias) => (bias === 0 ? 1 : 0))';
    const must = 'mask must be a Uint8Array or a tensor of bool or integers, got';
    for (const [mask, got] of [
      [null, 'null'],
      [true, 'true'],
      ['110', '"110"'],
      [[1, 1, 0], 'a plain array; make Uint8Array.from(mask)'],
      [[[1, 1, 0]], 'a plain array; make Uint8Array.from(mask.flat(Infinity))'],
      [Promise.resolve(new Uint8Array(3)), 'an object; it is a promise: await it first'],
      [{ attention_mask: {} }, 'an object; did you mean mask.attention_mask?'],
      [{}, 'an object'],
      [new Int8Array(3), 'Int8Array; make { data: mask, shape } of it'],
      [new BigInt64Array(3), 'BigInt64Array; make { data: mask, shape } of it'],
      [new Uint8ClampedArray(3), 'Uint8ClampedArray; make Uint8Array.from(mask)'],
      [zeros(3), `Float32Array; if it is added to logits make ${ofBias}`],
      [{ data: zeros(3), dims: [3] }, 'a tensor of Float32Array'],
      [{ data: [1, 1, 0], dims: [3] }, 'a tensor of a plain array'],
      [
        { data: new Uint8Array(3), dims: [3], type: 'int8' },
        `a tensor of type "int8" with a Uint8Array, whose type is 'uint8' or 'bool'`,
      ],
      [
        { data: new Int32Array(3), dims: [3], type: 'bool' },
        `a tensor of type "bool" with a Int32Array, whose type is 'int32'`,
      ],
    ] as const)
      check('TypeError', mask, `${must} ${got}`);
  });
  test('of a wrong size or shape', () => {
    for (const length of [0, 1, 2, 4, 5, 7, 12]) {
      const text = `mask has ${length} elements, which matches no trailing axes of the shape [2, 3]`;
      check('RangeError', new Uint8Array(length), text);
    }
    const data = new Uint8Array(6);
    check(
      'RangeError',
      { data, dims: [3, 2] },
      'mask of shape [3, 2] does not broadcast to the shape [2, 3]',
    );
    check('RangeError', { data, dims: [6] }, 'mask of shape [6] does not broadcast to the shape [2, 3]');
    check(
      'RangeError',
      { data, dims: [1, 2, 3] },
      'mask of shape [1, 2, 3] has more axes than the shape [2, 3]',
    );
    check('RangeError', { data, dims: [2, 1] }, 'mask of shape [2, 1] has 2 elements, but its data has 6');
  });
  test('detached, or elsewhere', () => {
    const out = marked(3);
    const wanted = { fn: 'softmax', argument: 'mask' } as const;
    for (const mask of [detached(new Uint8Array(3)), outOfBounds(Uint8Array, 3)])
      expectError(
        'TypeError',
        { ...wanted, code: 'ERR_DETACHED' },
        () => softmax(zeros(3), { mask, out }),
        out,
      );
    const mask = { data: new Uint8Array(3), dims: [3], location: 'gpu-buffer' };
    expectError(
      'TypeError',
      { ...wanted, code: 'ERR_NOT_ON_CPU' },
      () => softmax(zeros(3), { mask, out }),
      out,
    );
  });
});

describe('temperature, one per row', () => {
  const check = (
    type: 'TypeError' | 'RangeError',
    temperature: unknown,
    wanted: Omit<Wanted, 'fn' | 'argument' | 'message'>,
    text: string,
    fns = scaled,
  ) => {
    for (const fn of fns) {
      const output = markedOut(fn, 2);
      const message = `${fn.name}: ${text}`;
      const options = { shape: [2, 3], temperature, [outKey(fn)]: output };
      const call = () => fn.call(fn.inputs.at(-1) ?? '', marked(6), options);
      const full = { fn: fn.name, argument: 'temperature', message, ...wanted } as const;
      expectError(type, full, call, output);
    }
  };
  test('a value that is none', () => {
    const code = 'ERR_TEMPERATURE';
    const place = { code, row: 1, index: 1 } as const;
    const forms: readonly ((values: number[]) => unknown)[] = [
      (values) => values,
      (values) => Float32Array.from(values),
      (values) => ({ data: Float64Array.from(values), dims: [2] }),
    ];
    for (const of of forms) {
      check('RangeError', of([1, -1]), { ...place, value: -1 }, 'temperature[1] = -1 is not at least 0');
      check(
        'RangeError',
        of([Infinity, NaN]),
        { ...place, value: NaN },
        'temperature[1] = NaN is not at least 0',
      );
      const noLimit = scaled.filter(({ signature }) => !signature.hasLimits);
      check(
        'RangeError',
        of([1, 0]),
        { ...place, value: 0 },
        'temperature[1] = 0 has no limit here',
        noLimit,
      );
    }
    check('TypeError', [1, '1'], { code, index: 1, value: '1' }, 'temperature[1] must be a number, got "1"');
    check('TypeError', [1, undefined], { code, index: 1 }, 'temperature[1] must be a number, got undefined');
    check('RangeError', [-1], { code, row: 0, index: 0 }, 'temperature[0] = -1 is not at least 0');
  });
  test('too few, too many, of a wrong kind', () => {
    for (const length of [0, 3, 6]) {
      const text = `temperature has ${length} elements, but there are 2 rows`;
      check('RangeError', new Float32Array(length).fill(1), { code: 'ERR_SHAPE', value: length }, text);
      check('RangeError', Array(length).fill(1), { code: 'ERR_SHAPE', value: length }, text);
    }
    const must = 'temperature must be an array of floats or a tensor of them, got';
    check(
      'TypeError',
      new Int32Array(2),
      { code: 'ERR_DTYPE' },
      `${must} Int32Array; make Float32Array.from(temperature)`,
    );
    check('TypeError', {}, { code: 'ERR_DTYPE' }, `${must} an object`);
  });
});
