// WebAssembly's memory: it grows and is given back, rows go through it in blocks.

import { describe, expect, it } from 'vitest';
import { jsJobs } from '../../src/backends/js/jobs.js';
import { jsKernels } from '../../src/backends/js/kernels.js';
import type { Elements } from '../../src/backends/kernels.js';
import { Instance } from '../../src/backends/wasm/instance.js';
import { readOperations } from '../../src/backends/wasm/operations.js';
import { runInBlocks } from '../../src/backends/wasm/run.js';
import { startWasm } from '../../src/backends/wasm/start.js';
import { functionsOn } from '../../src/operations/create.js';
import { moduleOfFile } from '../../src/wasm-file.js';
import { hasModules } from '../helpers/processes.js';
import { Random } from '../helpers/random.js';

describe.runIf(hasModules)('memory and blocks', () => {
  const random = new Random(20261130);
  const floats = (length: number) => Float32Array.from({ length }, () => random.uniform(-9, 9));
  const module = () => moduleOfFile('simd128');
  const rowsOf = (outer: number, length: number) => ({
    outer,
    length,
    inner: 1,
    mask: undefined,
    multiplier: 1,
  });

  it('grows for a long row, and is given back', () => {
    const instance = new Instance(module());
    const [softmax] = [readOperations(instance.exports).get('softmax')];
    const initial = instance.bytes.length;
    const once = (length: number) => {
      const x: Elements = { data: floats(length), dtype: 'float32' };
      const out = { data: new Float32Array(length), dtype: 'float32' } as const;
      const expected = new Float32Array(length);
      const problem = {
        entry: softmax as never,
        arrays: [x, out],
        numbers: [0, 0] as const,
        rows: rowsOf(1, length),
      };
      expect(runInBlocks(instance, problem)).toBe(true);
      jsKernels.plain.softmax(x.data as Float32Array, expected, length, length);
      expect(Buffer.compare(new Uint8Array(out.data.buffer), new Uint8Array(expected.buffer))).toBe(0);
      return instance.bytes.length;
    };
    expect(once(2 ** 20)).toBeLessThan(initial + 5 * 2 ** 20);
    expect(once(2 ** 24)).toBe(initial);
    expect(once(1000)).toBeLessThan(initial + 2 ** 19);
  });

  it('is left to JavaScript beyond its bound, without growing', () => {
    const instance = new Instance(module());
    const softmax = readOperations(instance.exports).get('softmax') as never;
    const initial = instance.bytes.length;
    const few: Elements = { data: new Float32Array(1), dtype: 'float32' };
    const rows = rowsOf(1, 2 ** 27);
    expect(runInBlocks(instance, { entry: softmax, arrays: [few, few], numbers: [0, 0], rows })).toBe(false);
    expect(instance.bytes.length).toBe(initial);
  });

  it('stays as it is over many calls', () => {
    const { engine } = startWasm(moduleOfFile, '', true);
    const { softmax } = functionsOn(engine) as unknown as typeof import('softmax-native');
    const [x, out] = [floats(3000), new Float32Array(3000)];
    const rss = () => process.memoryUsage.rss();
    for (let i = 0; i < 2000; i++) softmax(x, { shape: [3, 1000], temperature: 2, out });
    const before = rss();
    for (let i = 0; i < 20_000; i++) softmax(x, { shape: [3, 1000], temperature: 2, out });
    expect(rss() - before).toBeLessThan(64 * 2 ** 20);
  });

  // Each goes through more than one block, or a block of columns.
  const shapes = [
    { shape: [300, 1000], axis: -1 },
    { shape: [1000, 300], axis: 0 },
    { shape: [3, 700, 70], axis: 1 },
    { shape: [2, 2100, 2100], axis: 1 },
    { shape: [70_000, 7], axis: 0 },
  ];
  const inJavaScript = { kernels: jsKernels, jobs: jsJobs };
  const backends = [
    functionsOn(hasModules ? startWasm(moduleOfFile, '', true).engine : inJavaScript),
    functionsOn(inJavaScript),
  ];
  const [wasm, js] = backends as unknown as [
    typeof import('softmax-native'),
    typeof import('softmax-native'),
  ];
  const bitsOf = (result: unknown): string =>
    JSON.stringify(result, (_, value) =>
      ArrayBuffer.isView(value) ? Buffer.from(value.buffer).toString('latin1') : value,
    );

  it.each(shapes)(
    'has the bits of JavaScript: $shape, axis $axis',
    { timeout: 120_000 },
    async ({ shape, axis }) => {
      const elements = shape.reduce((product, size) => product * size, 1);
      const rows = elements / (shape.at(axis) as number);
      const x = floats(elements);
      const half = Uint16Array.from(x, () => 0x3c00 + random.integer(0x600) + 0x8000 * random.integer(2));
      const mask = Uint8Array.from(x, () => random.integer(5));
      const maskOfRow = mask.slice(0, shape.at(-1));
      const temperature = Float64Array.from({ length: rows }, () => random.uniform(0.5, 2));
      const target = Int32Array.from({ length: rows }, () => random.integer(shape.at(axis) as number));
      const calls: ((api: typeof wasm) => unknown)[] = [
        (api) => api.softmax(x, { shape, axis, mask, temperature }),
        (api) => api.softmaxAsync(x, { shape, axis, mask }),
        (api) =>
          api.logSoftmaxAsync(half, {
            shape,
            axis,
            dtype: 'bfloat16',
            mask: { data: maskOfRow, dims: [maskOfRow.length] },
          }),
        (api) => api.logSumExp(half, { shape, axis, dtype: 'float16', temperature }),
        (api) => api.crossEntropyAsync(x, target, { shape, axis, grad: true, reduction: 'none' }),
        (api) => api.topK(x, 3, { shape, axis }),
      ];
      const few = elements > 10 ** 6 ? [0, 3].map((i) => calls[i] as (typeof calls)[0]) : calls;
      for (const call of few)
        expect(bitsOf(await call(wasm)) === bitsOf(await call(js)), String(call)).toBe(true);
    },
  );
});
