// A row in chunks: the bits of one call, whatever the chunks.

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { argMax, logSoftmax, logSumExp, partial, SoftmaxStream, softmax } from 'softmax-native';
import { expect, test } from 'vitest';
import { bytesOf } from './helpers/calls.js';
import { Random } from './helpers/random.js';

const isSame = (a: ArrayBufferView, b: ArrayBufferView) => Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
const one = (length: number) => ({ shape: [1, length] as const });

test.each(['float32', 'float64'] as const)('%s: chunks of any lengths, of floats and of bytes', (dtype) => {
  for (let seed = 1; seed <= 24; seed++) {
    const random = new Random(seed);
    const length = 1 + random.integer(40_000);
    const NewArray = dtype === 'float64' ? Float64Array : Float32Array;
    const x = new NewArray(length).map(() => random.normal(4));
    if (seed % 6 === 0) x[random.integer(length)] = seed % 12 === 0 ? Number.NaN : Infinity;
    const temperature = seed % 4 === 0 ? 0.5 : 1;
    const stream = new SoftmaxStream({ dtype, temperature });
    for (let at = 0; at < length; ) {
      const end = Math.min(length, at + ([17, 1000, 4096, 8192, 5000, 300_000][random.integer(6)] as number));
      const chunk = x.subarray(at, end);
      const bytes = new Uint8Array(x.buffer, chunk.byteOffset, chunk.byteLength);
      const middle = random.integer(bytes.length);
      if (seed % 3 === 0) stream.push(bytes.subarray(0, middle)).push(bytes.subarray(middle));
      else stream.push(chunk);
      at = end;
      expect(stream.length).toBe(at);
      if (random.integer(10) === 0)
        expect(stream.logSumExp()).toBe(
          (logSumExp(x.slice(0, at), { ...one(at), temperature }) as Float64Array)[0],
        );
    }
    expect(stream.argMax()).toBe(argMax(x, one(length))[0]);
    // toEqual takes seconds for so many elements.
    expect(isSame(stream.softmax(x), softmax(x, { temperature }))).toBe(true);
    const logs = logSoftmax(x, { temperature }).subarray(5);
    expect(isSame(stream.logSoftmax(x.subarray(5)), logs)).toBe(true);
  }
});

test('a state after each of many chunks is that of the logits so far', () => {
  const x = new Random(2).normals(70 * 4096 + 100, 4);
  const stream = new SoftmaxStream();
  for (let at = 0, chunks = 0; at < x.length; chunks++) {
    const end = Math.min(x.length, at + (chunks % 4 === 0 ? 3 : 1) * 4096);
    stream.push(x.subarray(at, end));
    at = end;
    expect(isSame(stream.state(), partial(x.subarray(0, at))), `${at} logits`).toBe(true);
  }
  // One chunk of them all.
  expect(isSame(new SoftmaxStream().push(x).state(), stream.state())).toBe(true);
});

test('16-bit floats, and nothing at all', () => {
  const empty = new SoftmaxStream();
  expect([empty.length, empty.logSumExp(), empty.argMax()]).toEqual([0, Number.NEGATIVE_INFINITY, -1]);
  const x = Uint16Array.from({ length: 9000 }, (_, i) => 0x3f00 + ((i * 7919) % 0x180));
  const stream = new SoftmaxStream({ dtype: 'bfloat16' }).push(x.subarray(0, 17)).push(x.subarray(17));
  const tensor = { data: x, dims: [1, 9000], type: 'bfloat16' };
  expect(stream.logSumExp()).toBe((logSumExp(tensor, { dtype: 'float32' }).data as Float32Array)[0]);
  expect(stream.softmax(x, { dtype: 'bfloat16' })).toEqual(softmax(x, { dtype: 'bfloat16' }));
});

test('a file through Node streams, in two passes', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'softmax-stream-'));
  try {
    const x = new Random(9).normals(100_001, 3);
    const [from, to] = [join(folder, 'logits'), join(folder, 'probabilities')];
    await writeFile(from, new Uint8Array(x.buffer));
    // Chunks of 1001 bytes end within elements.
    const source = () => createReadStream(from, { highWaterMark: 1001 });
    const stream = await new SoftmaxStream().read(source());
    expect(stream.logSumExp()).toBe(logSumExp(x, one(x.length))[0]);
    await pipeline(source(), (chunks) => stream.softmaxOf(chunks), createWriteStream(to));
    const written = await readFile(to);
    expect(Buffer.compare(written, Buffer.from(softmax(x).buffer))).toBe(0);
    await writeFile(from, new Uint8Array(x.buffer).subarray(1));
    const cut = pipeline(source(), (chunks) => stream.softmaxOf(chunks), createWriteStream(to));
    await expect(cut).rejects.toThrow('the bytes that came end within an element, 3 bytes into it');
  } finally {
    await rm(folder, { recursive: true });
  }
});
