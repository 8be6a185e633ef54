// Outputs that share memory with something: refused with nothing written, unless they are the input itself.

import { backend, crossEntropy, type SoftmaxError, softmax } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any, bytesOf, expectError, functionOf, marked, zeros } from './helpers/calls.js';
import {
  argumentsOf,
  isLoss,
  mainInput,
  outLength,
  outputKeys,
  outShape,
  signatures,
} from './helpers/signatures.js';

type View = Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array;
interface Kind {
  readonly make: new (buffer: ArrayBuffer, offset: number, length: number) => View;
  readonly size: number;
  readonly type: string;
}
const float32: Kind = { make: Float32Array, size: 4, type: 'float32' };
const float16: Kind = { make: Uint16Array, size: 2, type: 'float16' };
const bfloat16: Kind = { make: Uint16Array, size: 2, type: 'bfloat16' };
const int32: Kind = { make: Int32Array, size: 4, type: 'int32' };
const uint8: Kind = { make: Uint8Array, size: 1, type: 'uint8' };

const tensorOf = (data: View, { type }: Kind) => ({ data, dims: [data.length], type });

interface Sliding {
  readonly input: Kind;
  readonly output: Kind;
  /** The argument that the error names, and what it says that it overlaps. */
  readonly names: readonly [output: string, input: string];
  /** Elements of the output for so many of the input. */
  readonly outLength?: (length: number) => number;
  /** The output may be the input itself. */
  readonly mayBeSame?: boolean;
  readonly call: (input: never, output: never) => unknown;
  /** Every byte of the buffer: by default small positive numbers in all formats, and a mask. */
  readonly fill?: number;
}

/**
 * Every place of an output in a buffer where the input is at its beginning, in its middle and at its end. Returns what
 * went wrong first; undefined if nothing did.
 */
function slide(sliding: Sliding, lengths: readonly number[]): string | undefined {
  const { input, output, names, call, outLength = (length) => length, mayBeSame = true } = sliding;
  const byteCount = 256 * Math.max(input.size, output.size);
  const pattern = new Uint8Array(byteCount).fill(sliding.fill ?? 0x3c);
  const buffer = new ArrayBuffer(byteCount);
  const memory = new Uint8Array(buffer);
  const isSameKind = input.type === output.type;
  let [refused, done] = [0, 0];
  for (const length of lengths) {
    const inputBytes = length * input.size;
    const outputBytes = outLength(length) * output.size;
    const last = byteCount - inputBytes;
    for (const begin of new Set([0, (last >> 1) - ((last >> 1) % input.size), last])) {
      const end = begin + inputBytes;
      for (let offset = 0; offset + outputBytes <= byteCount; offset += output.size) {
        memory.set(pattern);
        const inputView = new input.make(buffer, begin, length);
        const outputView = new output.make(buffer, offset, outLength(length));
        const where = `input [${begin}, ${end}), output [${offset}, ${offset + outputBytes})`;
        const isSame = mayBeSame && isSameKind && offset === begin && outputBytes === inputBytes;
        const isApart = offset + outputBytes <= begin || offset >= end;
        let error: unknown;
        try {
          call(any(tensorOf(inputView, input)), any(tensorOf(outputView, output)));
        } catch (thrown) {
          error = thrown;
        }
        if (isSame || isApart) {
          if (error !== undefined) return `${where}: ${error}`;
          memory.set(pattern.subarray(offset, offset + outputBytes), offset);
          done++;
        } else {
          const { code, argument, message = 'no error' } = (error ?? {}) as Partial<SoftmaxError>;
          const text = `${names[0]} overlaps ${names[1]}; it `;
          if (code !== 'ERR_OUT_OVERLAP' || argument !== names[0] || !message.includes(text))
            return `${where}: ${message}`;
          refused++;
        }
        if (Buffer.compare(memory, pattern) !== 0) return `${where}: something else was written`;
      }
    }
  }
  return refused > 0 && done > 0 ? undefined : 'nothing was tried';
}

// Each length would take a minute more, and is at as many places before and behind the input.
const many = Array.from({ length: 256 }, (_, i) => i + 1).filter((i) => i <= 36 || i >= 250 || i % 9 === 0);
const some = [1, 2, 31, 64, 200];
// Overlaps are found before a backend has a call. Where backends write, guard pages show (native/test).
const most = backend.kind === 'js' ? many : some;

describe('every place of an output in a buffer of 256 elements', () => {
  const kinds = [
    [float32, float32],
    [float16, float16],
    [bfloat16, bfloat16],
    [float16, bfloat16],
    [float16, float32],
    [float32, bfloat16],
  ] as const;
  test.each(kinds.map(([input, output]) => [input.type, output.type, input, output] as const))(
    'softmax: %s in, %s out',
    (_in, _out, input, output) => {
      const call = (x: never, out: never) => softmax(x, { out });
      expect(slide({ input, output, names: ['out', 'x'], call }, most)).toBeUndefined();
    },
  );

  const one = new Int32Array(1);
  const beyondInputs: Record<string, Omit<Sliding, 'input' | 'output'>> = {
    'crossEntropy: grad, probabilities': {
      names: ['grad', 'target'],
      mayBeSame: false,
      call: (q: { data: View }, grad) => crossEntropy(zeros(q.data.length), any(q), { grad }),
    },
    'crossEntropy: logProbs, grad': {
      names: ['logProbs', 'grad'],
      mayBeSame: false,
      call: (grad: { data: View }, logProbs) =>
        // The gradient is written, too: what was there is put back.
        withRestored(grad.data, () =>
          crossEntropy(zeros(grad.data.length), one, { grad: any(grad), logProbs }),
        ),
    },
  };
  test.each(Object.entries(beyondInputs))('%s', (_name, sliding) => {
    for (const [input, output] of kinds)
      expect(slide({ ...sliding, input, output }, some), `${input.type}, ${output.type}`).toBeUndefined();
  });

  const places = signatures.flatMap((signature) =>
    outputKeys(signature).flatMap((output) =>
      signature.inputs.map((input) => [signature.name, output, input, signature] as const),
    ),
  );
  test.each(places)('%s: %s, %s', (name, key, argument, signature) => {
    const { inputs, result, mayReplace } = signature;
    /** With rows of so many elements, or one. */
    const slidingOf = (rows: number): Omit<Sliding, 'input' | 'output'> => {
      const call = (given: { data: View }, wanted: { data: View }) => {
        const { length } = given.data;
        const shape = rows === 1 ? [length] : [rows, length / rows];
        const arrays = inputs.map((one) => (one === argument ? { ...given, dims: shape } : zeros(length)));
        const out = { ...wanted, dims: key === 'out' ? outShape(signature, shape) : shape };
        const args = argumentsOf(signature, arrays, new Int32Array(rows), { shape, [key]: out });
        return functionOf(name)(...args);
      };
      return {
        names: [key, argument],
        outLength: (length) => (key === 'out' ? outLength(signature, rows, length / rows) : length),
        mayBeSame: mayReplace && (!isLoss(signature) || argument === mainInput(signature)),
        call: call as Sliding['call'],
      };
    };
    const tried = {
      rows: [[1, some]],
      square: [[1, [1, 2, 5, 15]]],
      // Rows of one class each: as long as the input, and may be it.
      row: [
        [1, [32, 64]],
        [2, [32, 128]],
        [16, [64]],
        [64, [64]],
      ],
    } as const;
    for (const [input, ofFloats] of kinds)
      for (const [rows, lengths] of tried[result]) {
        const output = signature.holds ? int32 : ofFloats;
        expect(
          slide({ ...slidingOf(rows), input, output }, lengths),
          `${input.type}, ${output.type}, ${rows} rows`,
        ).toBeUndefined();
      }
  });

  test('arrays that are no elements: target, mask, weight, temperature, gradOutput', () => {
    const length = (view: { data: View }) => view.data.length;
    const shared = { output: float32, mayBeSame: false };
    const tried: Sliding[] = [
      {
        ...shared,
        input: int32,
        names: ['grad', 'target'],
        fill: 0,
        call: (target: { data: View }, grad) =>
          crossEntropy(zeros(length(target)), any(target), {
            shape: [length(target), 1],
            grad: any(bare(grad)),
          }),
      },
      {
        ...shared,
        input: uint8,
        names: ['out', 'mask'],
        call: (mask: { data: View }, out) => softmax(zeros(length(mask)), { mask: any(mask), out }),
      },
      {
        ...shared,
        input: float32,
        names: ['grad', 'weight'],
        call: (weight: { data: View }, grad) =>
          crossEntropy(zeros(length(weight)), one, { weight: any(weight), grad }),
      },
      {
        ...shared,
        input: float32,
        names: ['grad', 'gradOutput'],
        call: (gradOutput: { data: View }, grad) =>
          crossEntropy(zeros(length(gradOutput)), new Int32Array(length(gradOutput)), {
            shape: [length(gradOutput), 1],
            reduction: 'none',
            gradOutput: any(gradOutput),
            grad: any(bare(grad)),
          }),
      },
      {
        ...shared,
        input: float32,
        names: ['out', 'temperature'],
        call: (temperature: { data: View }, out) =>
          softmax(zeros(length(temperature)), {
            shape: [length(temperature), 1],
            temperature: any(temperature),
            out: any(bare(out)),
          }),
      },
    ];
    for (const sliding of tried) expect(slide(sliding, some), sliding.names.join()).toBeUndefined();
  });
});

const bare = ({ data }: { data: View }) => data;

function withRestored(view: View, call: () => unknown): void {
  const before = bytesOf(view).slice();
  call();
  bytesOf(view).set(before);
}

test('the message says what would be allowed', () => {
  const memory = marked(8);
  const [x, out] = [memory.subarray(0, 4), memory.subarray(1, 5)];
  const wanted = { code: 'ERR_OUT_OVERLAP', fn: 'softmax', argument: 'out' } as const;
  const same = 'softmax: out overlaps x; it may be the same array or share nothing';
  expectError('RangeError', { ...wanted, message: same }, () => softmax(x, { out }), memory);
  const nothing = 'softmax: out overlaps x; it must share nothing';
  const half = { data: new Uint16Array(memory.buffer, 0, 4), dims: [4], type: 'float16' };
  const other = { ...half, type: 'bfloat16' };
  expectError('RangeError', { ...wanted, message: nothing }, () => softmax(half, { out: other }), memory);
});

test('an empty output inside a mask shares nothing with it', () => {
  const { buffer } = new Float32Array(8);
  const mask = new Uint8Array(buffer, 0, 12);
  for (const offset of [0, 4, 8, 12]) {
    const out = new Float32Array(buffer, offset, 0);
    expect(softmax(new Float32Array(0), { shape: [0, 12], mask, out })).toBe(out);
  }
});
