// What the WebAssembly module writes: results, its copy of what a mask covers, and what is its own, whatever the call. Random calls against JavaScript, each
// byte of the module's memory compared before and after; and the same where the memory ends with a call's arrays.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsJobs, slicedJobs } from '../../src/backends/js/jobs.js';
import { jsKernels } from '../../src/backends/js/kernels.js';
import { layoutOf } from '../../src/backends/wasm/blocks.js';
import { Instance } from '../../src/backends/wasm/instance.js';
import { wasmKernels } from '../../src/backends/wasm/kernels.js';
import { Count, type OperationEntry, readOperations } from '../../src/backends/wasm/operations.js';
import { computingOn } from '../../src/operations/create.js';
import { moduleOfFile } from '../../src/wasm-file.js';
import { hasModules } from '../helpers/processes.js';
import { Random } from '../helpers/random.js';
import { calls } from '../helpers/random-calls/arbitraries.js';
import { type Api, compare } from '../helpers/random-calls/property.js';

type Entry = readonly [name: string, entry: OperationEntry];
type Range = readonly [begin: number, end: number];
const callBytes = 144;
const stackBytes = 524288;
const bytesOf = new Map([
  [0, 4],
  [1, 8],
  [4, 4],
]);

/** An instance whose every call is held against what it may write. */
class Guarded extends Instance {
  computed = 0;
  /** Operations that were computed, and what they wrote that they may not. */
  readonly names = new Set<string>();
  readonly faults: string[] = [];
  readonly #entries: readonly Entry[];
  readonly #lowest: number;
  #most = 0;
  readonly #tooMany: number;

  /** `tooMany`: rows that the module computes beyond those of a call. */
  constructor(tooMany = 0) {
    super(moduleOfFile('simd128'));
    this.#tooMany = tooMany;
    const real = super.exports;
    this.#entries = [...readOperations(real)];
    this.#lowest = this.heap;
    const exports = { ...real, compute: () => this.#compute(real.compute) };
    Object.defineProperty(this, 'exports', { get: () => exports });
  }

  override reserve(bytes: number, elements: number): void {
    super.reserve(bytes, elements);
    this.#most = Math.max(this.#most, bytes);
    // A pattern wherever a call's arrays may be.
    this.bytes.fill(0xa5, this.heap);
  }

  /** Runs twice: the second time no byte of memory is behind the arrays, and an access there traps. */
  async twice(run: () => unknown): Promise<void> {
    this.#most = 0;
    await run();
    this.heap = Math.max(this.#lowest, (this.bytes.length - this.#most) & -64);
    await run();
    this.heap = this.#lowest;
  }

  #writable(): readonly Range[] {
    const at = super.exports.call();
    const words = new Uint32Array(this.bytes.buffer, at, callBytes / 4);
    const [first = 0, second = 0] = new Float64Array(this.bytes.buffer, at + 72, 2);
    const [name, entry] = this.#entries[words[0] as number] as Entry;
    this.names.add(name);
    const [outer = 0, length = 0, inner = 0] = words.subarray(22);
    const own: Range[] = [
      [0, stackBytes],
      [at, at + callBytes],
      [words[34] as number, (words[34] as number) + (words[35] as number)],
    ];
    const written = entry.arrays.flatMap((array, i): Range[] => {
      const address = words[1 + 2 * i] as number;
      // Masks are applied in place.
      const isMasked =
        words[27] !== 0 && inner === 1 && array.isOfElements && array.count === Count.perElement;
      if (!(array.isOutput || isMasked) || address === 0) return [];
      const { each } = layoutOf(array, length, [first, second]);
      const size = bytesOf.get(words[2 + 2 * i] as number) as number;
      return [[address, address + outer * inner * each * size]];
    });
    return [...own, ...written].sort(([a], [b]) => a - b);
  }

  #compute(compute: () => void): void {
    const ranges = this.#writable();
    const words = new Uint32Array(this.bytes.buffer, super.exports.call(), callBytes / 4);
    words[22] = (words[22] as number) + this.#tooMany;
    const before = Buffer.from(this.bytes);
    compute();
    this.computed++;
    let begin = 0;
    for (const [from, to] of [...ranges, [before.length, before.length] as const]) {
      if (from > begin && before.compare(this.bytes, begin, from, begin, from) !== 0)
        this.faults.push(`${[...this.names].at(-1)}: a byte in [${begin}, ${from}) of ${before.length}`);
      begin = Math.max(begin, to);
    }
  }
}

/** Of which random calls make few. */
const ofTokens = ['sample', 'tokenLogProbs', 'topK'];

const javaScript = computingOn({ kernels: jsKernels, jobs: jsJobs }) as Api;
const apiOf = (instance: Instance) =>
  computingOn({ kernels: wasmKernels(instance, 0), jobs: slicedJobs(24576) }) as Api;

describe.runIf(hasModules)('every write is to a result, also where the memory ends with the arrays', () => {
  it('of random calls', async () => {
    const instance = new Guarded();
    const contestants = [
      { name: 'JavaScript', api: javaScript },
      { name: 'WebAssembly', api: apiOf(instance) },
    ] as const;
    const check = (plan: Parameters<typeof compare>[0]) =>
      instance.twice(async () => {
        const { problem } = await compare(plan, contestants);
        expect(problem ?? instance.faults[0]).toBeUndefined();
      });
    await fc.assert(fc.asyncProperty(calls, check), { numRuns: 400, seed: 20261130 });
    expect(instance.computed).toBeGreaterThan(300);
    expect([...instance.names].sort()).toEqual([...readOperations(instance.exports).keys()].sort());
  });

  it('from logits to tokens', async () => {
    const instance = new Guarded();
    const random = new Random(20261130);
    const [js, wasm] = [javaScript, apiOf(instance)] as unknown as typeof import('softmax-native')[];
    for (const length of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 127, 129, 1000, 4099])
      for (const rows of [1, 3]) {
        const shape = [rows, length];
        const x = Float32Array.from({ length: rows * length }, () => random.uniform(-9, 9));
        const tokens = Int32Array.from({ length: rows }, () => random.integer(length));
        const k = 1 + random.integer(Math.min(length, 60));
        const callsOf = (api: typeof js) => [
          api?.topK(x, k, { shape, values: 'probabilities' }),
          api?.tokenLogProbs(x, tokens, { shape, top: k }),
          api?.sample(x, { shape, seed: 1, temperature: 0.7, topK: k, topP: 0.9, count: 2 }),
          api?.sample(x, { shape, seed: 1, typicalP: 0.8, minP: 0.01 }),
        ];
        await instance.twice(() => expect(callsOf(wasm)).toEqual(callsOf(js)));
        expect(instance.faults).toEqual([]);
      }
    expect([...instance.names].sort()).toEqual(ofTokens);
  });

  it('a row too many is seen, and traps at the end of the memory', async () => {
    const instance = new Guarded(1);
    const { softmax } = apiOf(instance) as typeof import('softmax-native');
    const run = () => softmax(new Float32Array(3000), { shape: [3, 1000], temperature: 2 });
    await expect(instance.twice(run)).rejects.toThrow('memory access out of bounds');
    expect(instance.faults).toEqual([expect.stringMatching(/^softmax: a byte in \[\d+, \d+\) of \d+$/)]);
  });
});
