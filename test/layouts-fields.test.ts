// What a tensor with strides, an offset or an order gets back, what is refused, and what an output may share.
import * as api from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';

const { softmax, softmaxAsync, logSumExp, crossEntropy, softmaxBackward } = api;
type Fields = Record<string, unknown>;

const numbers = Float32Array.of(0, 1, 2, 3, 4, 5);
const given = (fields: Fields): never => any({ data: numbers.slice(), ...fields });
const rounded = (result: unknown): number[] =>
  Array.from((result as { data: Float32Array }).data, (value) => Math.round(value * 1e4) / 1e4);
/** Columns of [[0, 1, 2], [3, 4, 5]]: rows whose logits are 3 apart. */
const columns = [0.0474, 0.9526, 0.0474, 0.9526, 0.0474, 0.9526];

describe('a transposed view', () => {
  const packed = softmax(given({ shape: [3, 2] })) as { data: Float32Array };
  test.each<[string, Fields, Fields]>([
    [
      'of an ndarray',
      { shape: [3, 2], stride: [1, 3], offset: 0 },
      { shape: [3, 2], stride: [2, 1], offset: 0 },
    ],
    ['by strides', { dims: [3, 2], strides: [1, 3] }, { dims: [3, 2], strides: [2, 1] }],
    [
      'by strides in a typed array',
      { dims: [3, 2], strides: Int32Array.of(1, 3) },
      { dims: [3, 2], strides: [2, 1] },
    ],
    ['in an order of NumPy', { shape: [3, 2], fortranOrder: true }, { shape: [3, 2], fortranOrder: false }],
    [
      'in the order of a header',
      { shape: [3, 2], fortran_order: true },
      { shape: [3, 2], fortran_order: false },
    ],
    ["with order 'F'", { shape: [3, 2], order: 'F' }, { shape: [3, 2], order: 'C' }],
    ['column-major', { shape: [3, 2], order: 'column-major' }, { shape: [3, 2], order: 'row-major' }],
    [
      'of a stdlib ndarray',
      { shape: [3, 2], strides: [1, 3], offset: 0, order: 'row-major', dtype: 'float32' },
      { shape: [3, 2], strides: [2, 1], offset: 0, order: 'row-major', dtype: 'float32' },
    ],
  ])('%s', (_, fields, wanted) => {
    const result = softmax(given(fields)) as unknown as Fields;
    expect(rounded(result)).toEqual(columns);
    const { data, ...others } = result;
    expect(others).toEqual(wanted);
    // What came back goes in again.
    expect(softmax(any({ data: numbers, ...others }))).toMatchObject({ data: packed.data, ...others });
  });

  test('without its axis', () => {
    const x = given({ shape: [3, 2], stride: [1, 3], offset: 0 });
    expect(logSumExp(x)).toEqual({
      data: logSumExp(
        numbers.map((_, i) => (i % 2) * 3 + (i >> 1)),
        { shape: [3, 2] },
      ),
      shape: [3],
      stride: [1],
      offset: 0,
    });
  });

  test('no other layout is said where none is given', () => {
    expect(Object.keys(softmax(given({ dims: [2, 3], type: 'float32' })))).toEqual(['data', 'dims', 'type']);
    // Methods of that name say nothing.
    const tensor = given({
      dims: [2, 3],
      stride: () => [1],
      offset: () => 1,
      order: undefined,
      strides: null,
    });
    expect(Object.keys(softmax(tensor))).toEqual(['data', 'dims']);
  });
});

describe('row-major parts', () => {
  test.each<[string, Fields, number[]]>([
    ['from an offset on', { shape: [2, 2], offset: 2 }, [2, 3, 4, 5]],
    ['with strides', { shape: [1, 3], strides: [3, 1], offset: 3 }, [3, 4, 5]],
    ['axes of one element step anywhere', { shape: [1, 3, 1], strides: [99, 1, -7], offset: 1 }, [1, 2, 3]],
    ['one row for all', { shape: [2, 3], strides: [0, 1] }, [0, 1, 2, 0, 1, 2]],
    ['one element', { shape: [1], strides: [1e15], offset: 5 }, [5]],
    ['nothing', { shape: [0, 3], strides: [1e15, 1], offset: 99 }, []],
    [
      'nothing of a column-major array',
      { data: new Float32Array(0), shape: [2, 0, 3], fortranOrder: true },
      [],
    ],
  ])('%s', (_, fields, elements) => {
    const result = softmax(given(fields)) as unknown as { data: Float32Array };
    const shape = (fields as { shape: number[] }).shape;
    expect(result.data).toEqual(softmax(Float32Array.from(elements), { shape }));
  });

  test('are not copied: what is written to them later shows', async () => {
    const data = new Float32Array(new SharedArrayBuffer(8 * 300_000));
    const tensor: never = any({ data, shape: [300_000], offset: 300_000 });
    data.fill(1);
    const later = softmaxAsync(tensor, { shape: [300_000] }) as Promise<unknown>;
    await expect(later).resolves.toMatchObject({ shape: [300_000], offset: 0 });
  });
});

describe('what is refused', () => {
  test.each<[string, Fields, string, string]>([
    [
      'RangeError',
      { shape: [2, 3], stride: [3, 2] },
      'of shape [2, 3], strides [3, 2] and offset 0 needs elements 0 to 7 of its data, which has 6',
      'x',
    ],
    [
      'RangeError',
      { shape: [2, 3], offset: 1 },
      'of shape [2, 3], strides [3, 1] and offset 1 needs elements 1 to 6 of its data, which has 6',
      'x',
    ],
    [
      'RangeError',
      { shape: [2, 3], strides: [-3, 1] },
      'of shape [2, 3], strides [-3, 1] and offset 0 needs elements -3 to 2 of its data, which has 6',
      'x',
    ],
    [
      'RangeError',
      { shape: [2, 3], strides: [2 ** 53 - 1, 1] },
      'needs elements 0 to 9007199254740992 of its data, which has 6',
      'x',
    ],
    ['RangeError', { shape: [2, 3], strides: [3] }, '.strides has 1 elements for the shape [2, 3]', 'x'],
    ['RangeError', { shape: [2, 3], strides: [3, 1.5] }, '.strides[1] = 1.5 is not an integer', 'x'],
    ['RangeError', { shape: [2, 3], stride: [3, '1'] }, '.stride[1] = "1" is not an integer', 'x'],
    ['TypeError', { shape: [2, 3], stride: 1 }, '.stride must be an array, got 1', 'x'],
    ['RangeError', { shape: [2, 3], offset: -1 }, '.offset must be a non-negative integer, got -1', 'x'],
    ['TypeError', { shape: [2, 3], offset: '1' }, '.offset must be a non-negative integer, got "1"', 'x'],
    [
      'TypeError',
      { shape: [2, 3], order: 'A' },
      ".order must be 'C', 'F', 'row-major' or 'column-major', got \"A\"",
      'x',
    ],
    ['TypeError', { shape: [2, 3], fortranOrder: 1 }, '.fortranOrder must be true or false, got 1', 'x'],
    [
      'RangeError',
      { shape: [2, 2], fortranOrder: true },
      '.shape [2, 2] has 4 elements, but its data has 6',
      'x',
    ],
    ['TypeError', { strides: [1] }, 'x has data, but neither dims nor shape', 'x'],
  ])('%s %o', (name, fields, message, argument) => {
    const call = () => softmax(given(fields));
    expect(call).toThrow(expect.objectContaining({ name, code: 'ERR_SHAPE', fn: 'softmax', argument }));
    expect(call).toThrow(message);
    const data = Uint8Array.from(numbers);
    for (const option of ['mask', 'temperature'])
      expect(() =>
        softmax(numbers, {
          shape: [2, 3],
          [option]: option === 'mask' ? any({ data, ...fields }) : given(fields),
        }),
      ).toThrow(
        expect.objectContaining({
          name,
          code: expect.stringMatching('ERR_SHAPE|ERR_MASK'),
          argument: option,
        }),
      );
  });

  test.each<[string, Fields]>([
    ['stride', { strides: [3, 1], stride: [1, 2] }],
    ['fortran_order', { fortranOrder: false, fortran_order: true }],
    ['order', { fortranOrder: false, order: 'F' }],
    ['order', { fortranOrder: true, order: 'C' }],
  ])('two fields that contradict each other: %s', (other, fields) => {
    const [one] = Object.keys(fields);
    const call = () => softmax(given({ shape: [2, 3], ...fields }));
    expect(call).toThrow(`softmax: x.${one} and x.${other} say different things`);
  });

  test('an output of nothing', () => {
    for (const fields of [{ order: 'F' }, { strides: [1, 9] }, { strides: [1, 9], offset: 5 }]) {
      const x = any({ data: new Float32Array(0), shape: [0, 3], ...fields });
      expect(softmax(x, { out: x })).toBe(x);
      expect(crossEntropy(x, Int32Array.of(), { grad: x }).grad).toBe(x);
    }
  });

  test('data that is gone', () => {
    const data = new Float32Array(6);
    structuredClone(data, { transfer: [data.buffer] });
    expect(() => softmax(any({ data, shape: [3, 2], strides: [1, 3] }))).toThrow(
      expect.objectContaining({ code: 'ERR_DETACHED', argument: 'x' }),
    );
  });

  test('an output with several elements in one place', () => {
    const out = given({ shape: [2, 3], strides: [1, 1] });
    expect(() => softmax(numbers, { shape: [2, 3], out })).toThrow(
      'softmax: out has several elements in one place',
    );
    expect(() => softmax(numbers, { shape: [2, 3], out: given({ shape: [2, 3], strides: [0, 1] }) })).toThrow(
      'several elements in one place',
    );
    expect((out as { data: unknown }).data).toEqual(numbers);
    // Interleaved, but each in its own.
    const woven = { data: new Float32Array(6), shape: [2, 3], strides: [1, 2] };
    softmax(numbers, { shape: [2, 3], out: any(woven) });
    expect(Array.from(woven.data, (v) => Math.round(v * 1e4) / 1e4)).toEqual([
      0.09, 0.09, 0.2447, 0.2447, 0.6652, 0.6652,
    ]);
  });

  test('an output that is taken away while another is read', () => {
    const data = new Float32Array(6);
    const grad = { data, shape: [2, 3], strides: [1, 2] };
    const logProbs = {
      get data() {
        structuredClone(data, { transfer: [data.buffer] });
        return new Float32Array(6);
      },
      shape: [2, 3],
    };
    const options: never = any({ shape: [2, 3], grad, logProbs });
    expect(() => crossEntropy(numbers, Int32Array.of(0, 1), options)).toThrow(
      expect.objectContaining({ code: 'ERR_DETACHED', argument: 'grad' }),
    );
  });
});

describe('memory that an output shares', () => {
  const view = (data: Float32Array, strides: number[], offset: number) => ({
    data,
    shape: [2, 2],
    strides,
    offset,
  });
  test('columns side by side are apart', () => {
    const data = Float32Array.of(0, 9, 1, 9, 2, 9, 3, 9);
    const x = view(data, [4, 2], 0);
    softmax(any(x), { out: any(view(data, [4, 2], 1)) });
    const [low, high] = softmax(Float32Array.of(0, 1));
    expect(data).toEqual(
      Float32Array.of(0, low as number, 1, high as number, 2, low as number, 3, high as number),
    );
  });

  test('the same elements in another order are not', () => {
    const data = Float32Array.of(0, 1, 2, 3);
    for (const [x, out] of [
      [data, view(data, [1, 2], 0)],
      [view(data, [1, 2], 0), view(data, [2, 1], 0)],
      [view(data, [1, 2], 0), view(data, [-1, -2], 3)],
      [{ data, shape: [2, 2], strides: [0, 1] }, view(data, [1, 2], 0)],
    ])
      expect(() => softmax(any(x), { shape: [2, 2], out: any(out) })).toThrow(
        'softmax: out overlaps x; it may be the same array or share nothing',
      );
    expect(data).toEqual(Float32Array.of(0, 1, 2, 3));
  });

  test('nor may other arguments have it', () => {
    const data = new Float32Array(8);
    const woven = view(data, [1, 2], 0);
    const weight = { data, shape: [2], strides: [3] };
    const call = (options: Fields) => () =>
      crossEntropy(
        Float32Array.of(1, 2, 3, 4),
        Int32Array.of(0, 1),
        any({ shape: [2, 2], grad: woven, ...options }),
      );
    expect(call({ weight })).toThrow('crossEntropy: grad overlaps weight; it must share nothing');
    expect(call({ gradOutput: { data, shape: [2], strides: [2] }, reduction: 'none' })).toThrow(
      'grad overlaps gradOutput',
    );
    expect(call({ weight: { data, shape: [2], strides: [3], offset: 4 } })).not.toThrow();
    const bytes = new Uint8Array(data.buffer);
    expect(call({ mask: { data: bytes, shape: [2, 2], strides: [8, 1], offset: 3 } })).toThrow(
      'grad overlaps mask',
    );
    expect(call({ mask: { data: bytes, shape: [2, 2], strides: [8, 1], offset: 16 } })).not.toThrow();
  });

  test('an input that is another, in the layout of the output', () => {
    const data = Float32Array.of(1, 0, 2, 0, 3, 0, 4, 0);
    const x = view(data, [2, 4], 0);
    const wanted = softmaxBackward(Float32Array.of(1, 3, 2, 4), Float32Array.of(1, 3, 2, 4), {
      shape: [2, 2],
    });
    expect(softmaxBackward(any(x), any(x), { out: any(x) })).toBe(x);
    expect(data).toEqual(
      Float32Array.of(
        wanted[0] as number,
        0,
        wanted[2] as number,
        0,
        wanted[1] as number,
        0,
        wanted[3] as number,
        0,
      ),
    );
  });
});

describe('away from the event loop', () => {
  const shape = [300, 1000];
  const values = Float32Array.from({ length: 300_000 }, (_, i) => Math.sin(i));
  const turned = { data: values, shape: [1000, 300], strides: [1, 1000], offset: 0 };
  const wanted = (softmax(any(turned)) as unknown as { data: Float32Array }).data;

  test('the caller may overwrite what was given at once', async () => {
    const data = values.slice();
    const later = softmaxAsync(any({ ...turned, data }));
    data.fill(0);
    expect(((await later) as unknown as { data: Float32Array }).data).toEqual(wanted);
  });

  test('a buffer that is given up is gone, whatever part of it was named', async () => {
    const data = values.slice();
    const later = softmaxAsync(any({ ...turned, data }), { transfer: true });
    expect(data.length).toBe(0);
    expect(((await later) as unknown as { data: Float32Array }).data).toEqual(wanted);
  });

  test('an output that has become too short', async () => {
    const buffer = Reflect.construct(ArrayBuffer, [
      4 * 300_000,
      { maxByteLength: 4 * 300_000 },
    ]) as ArrayBuffer;
    const data = new Float32Array(buffer);
    const out = { data, shape, strides: [1, 300], offset: 0 };
    const later = softmaxAsync(values, { shape, out: any(out) });
    (buffer as unknown as { resize(bytes: number): void }).resize(4);
    await expect(later).rejects.toMatchObject({
      code: 'ERR_SHAPE',
      message: 'softmax: out needs 300000 elements of its data, which has 1 now',
    });
  });
});
