// Wrong calls of streams: type and message.

import { finishLogSumExp, partial, SoftmaxStream } from 'softmax-native';
import { describe, expect, test } from 'vitest';
import { any } from './helpers/calls.js';

describe('SoftmaxStream', () => {
  test('refuses other dtypes, and bytes that end within an element', () => {
    const stream = new SoftmaxStream();
    expect(() => stream.push(Float64Array.of(1))).toThrow(
      'push: chunk is float64, but the stream is float32',
    );
    expect(() => stream.push(any([1, 2]))).toThrow(
      'push: chunk must be an array of floats or a tensor of them, got a plain array',
    );
    stream.push(Float32Array.of(1, 2)).push(new Uint8Array(3));
    expect(stream.length).toBe(2);
    expect(() => stream.logSumExp()).toThrow(
      'state: the bytes that came end within an element, 3 bytes into it',
    );
    stream.push(new Uint8Array(1));
    expect(stream.logSumExp()).toBe(finishLogSumExp(partial(Float32Array.of(1, 2, 0)))[0]);
    expect(() => new SoftmaxStream(any({ dtype: 'int8' }))).toThrow(
      `SoftmaxStream: dtype must be one of 'float32', 'float64', 'float16', 'bfloat16', got "int8"`,
    );
    expect(() => new SoftmaxStream(any({ temperature: [1] }))).toThrow(
      'SoftmaxStream: temperature must be a number, got a plain array',
    );
    expect(() => new SoftmaxStream(any({ shape: [1] }))).toThrow(
      'SoftmaxStream: shape is not an option of SoftmaxStream',
    );
  });
});
