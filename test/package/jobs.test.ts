// Jobs of both backends by themselves: the order of rows and steps, cancelling, errors, what the addon is told.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { runSteps } from '../../src/async/run-steps.js';
import type { Jobs, Step } from '../../src/backends/jobs.js';
import { jsJobs } from '../../src/backends/js/jobs.js';
import type { Kernels, RowRange, ScaledRows } from '../../src/backends/kernels.js';
import { nativeJobs } from '../../src/backends/native/jobs.js';
import { type NativeFunctions, nativeKernels } from '../../src/backends/native/kernels.js';
import { loadAddon } from '../../src/backends/native/loader.js';
import { softmaxJacobian } from '../../src/operations/softmax-jacobian.js';
import { rowKernelsOf } from '../helpers/row-kernels.js';

const rowsOf = (outer: number, length: number): ScaledRows => ({
  outer,
  length,
  inner: 1,
  mask: undefined,
  multiplier: 1,
});
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('jobs in JavaScript', () => {
  /** A step that writes down which rows it is asked for. */
  const recorded = (rows: ScaledRows, ranges: RowRange[], work = () => {}): Step => ({
    rows,
    run: (some) => {
      ranges.push(some.range ?? { begin: -1, end: -1 });
      work();
    },
  });

  test('all rows once, in order, and never part of one', async () => {
    for (const [outer, length, cost] of [
      [1000, 100, 100_000],
      [1, 1_000_000, 1_000_000],
      [7, 0, 112],
      [100_000, 1, 1_700_000],
    ] as const) {
      const ranges: RowRange[] = [];
      await runSteps(jsJobs, [recorded(rowsOf(outer, length), ranges)], cost, undefined);
      let next = 0;
      for (const { begin, end } of ranges) {
        expect(begin).toBe(next);
        expect(end).toBeGreaterThan(begin);
        next = end;
      }
      expect(next).toBe(outer);
      expect(ranges.length).toBeGreaterThanOrEqual(Math.min(outer, Math.floor(cost / 8192)));
    }
  });

  test('the event loop has its turns, each after a millisecond or a row', async () => {
    const busy = () => {
      const end = performance.now() + 0.4;
      while (performance.now() < end);
    };
    const ranges: RowRange[] = [];
    const job = runSteps(jsJobs, [recorded(rowsOf(60, 8192), ranges, busy)], 60 * 8192, undefined);
    let isOver = false;
    void job.then(() => {
      isOver = true;
    });
    expect(ranges.length).toBe(0);
    let [turns, done, most] = [0, 0, 0];
    while (!isOver) {
      await turn();
      turns++;
      most = Math.max(most, ranges.length - done);
      done = ranges.length;
    }
    expect(ranges.length).toBe(60);
    expect(turns).toBeGreaterThanOrEqual(20);
    expect(most).toBeLessThanOrEqual(3);
  });

  test('several take turns', async () => {
    const order: string[] = [];
    const job = (name: string, outer: number) =>
      runSteps(jsJobs, [recorded(rowsOf(outer, 8192), [], () => order.push(name))], outer * 8192, undefined);
    await Promise.all([job('a', 3), job('b', 2), job('c', 4)]);
    expect(order.join('')).toBe('abcabcacc');
  });

  test('nothing runs after a job is cancelled; others go on', async () => {
    const [ranges, other]: [RowRange[], RowRange[]] = [[], []];
    const controller = new AbortController();
    const stop = () => {
      if (ranges.length === 2) controller.abort('enough');
    };
    const job = runSteps(jsJobs, [recorded(rowsOf(50, 8192), ranges, stop)], 50 * 8192, controller.signal);
    const next = runSteps(jsJobs, [recorded(rowsOf(9, 8192), other)], 9 * 8192, undefined);
    await expect(job).rejects.toBe('enough');
    await next;
    for (let i = 0; i < 5; i++) await turn();
    expect(ranges.length).toBe(2);
    expect(other.length).toBe(9);
  });

  test('an error ends its job alone', async () => {
    const ranges: RowRange[] = [];
    const fail = () => {
      throw new Error('no more');
    };
    const failing = runSteps(jsJobs, [recorded(rowsOf(9, 8192), [], fail)], 9 * 8192, undefined);
    const next = runSteps(jsJobs, [recorded(rowsOf(9, 8192), ranges)], 9 * 8192, undefined);
    await expect(failing).rejects.toThrow('no more');
    await next;
    expect(ranges.length).toBe(9);
  });
});

describe('jobs of the addon', () => {
  const { operations } = loadAddon();
  /** Where enum Number of native/addon/arguments.h has them. */
  const [isSmallAt, jobAt] = [10, 11];

  /** An addon that computes nothing, and what it was told. */
  function fakeAddon(answer: (id: number) => boolean = () => true) {
    const exchange = new ArrayBuffer(128 + 64 * 20);
    const numbers = new Float64Array(exchange, 0, 16);
    const told: unknown[] = [];
    let connected: ((id: number, isCancelled: boolean) => void) | undefined;
    const functions: NativeFunctions = {
      exchange,
      lanes: 8,
      compute() {
        const [number, id] = [numbers[0] as number, numbers[jobAt] as number];
        told.push([operations[number], id]);
        return id === 0 ? false : answer(id);
      },
      connect(onDone) {
        told.push('connect');
        connected = onDone;
      },
      cancel: (id) => told.push(['cancel', id]),
    };
    const kernels = nativeKernels(functions, operations);
    const end = (id: number, isCancelled = false) => connected?.(id, isCancelled);
    const softmaxOfRows = rowKernelsOf(kernels).softmax;
    const one: Step = { rows, run: (some) => softmaxOfRows(x, x, some) };
    return { jobs: nativeJobs(functions, kernels), kernels, told, numbers, end, one };
  }

  const rows = rowsOf(2, 3);
  const x = { data: new Float32Array(6), dtype: 'float32' } as const;
  const doubles = { data: new Float64Array(6), dtype: 'float64' } as const;
  const loss = () => ({ loss: new Float64Array(2), logSumExp: new Float32Array(2) });
  const target = { weight: undefined, labelSmoothing: 0, grad: x, gradLoss: 1 };
  type Run = (kernels: Kernels, rows: ScaledRows) => unknown;
  const steps: Record<string, Run> = {
    softmax: (kernels, some) => rowKernelsOf(kernels).softmax(x, x, some),
    logSoftmax: (kernels, some) =>
      rowKernelsOf(kernels).logSoftmax(x, x, { ...some, multiplier: new Float64Array(2) }),
    logSumExp: (kernels, some) => rowKernelsOf(kernels).logSumExp(x, x, some),
    softmaxBackward: (kernels, some) => rowKernelsOf(kernels).softmaxBackward(x, x, x, some),
    logSoftmaxBackward: (kernels, some) => rowKernelsOf(kernels).logSoftmaxBackward(x, x, x, some),
    softmaxJacobian: (kernels, some) => kernels.unary(softmaxJacobian.kernel)(x, x, some),
    crossEntropy: (kernels, some) =>
      kernels.crossEntropy({ logits: x, target: new Int32Array(2), ...loss(), ...target }, some),
    divergence: (kernels, some) =>
      kernels.divergence(
        { student: x, teacher: x, divergence: doubles.data, grad: x, addend: undefined, gradLoss: 1 },
        some,
      ),
  };
  test.each(Object.entries(steps))('%s: the id of its job, and 0 in a call that computes', (name, run) => {
    const { jobs, kernels, told, numbers } = fakeAddon();
    const step: Step = { rows, run: (some) => run(kernels, some) };
    jobs.start(step, 1, () => {});
    run(kernels, rows);
    jobs.start(step, 1, () => {});
    expect(told).toEqual(['connect', [name, 1], [name, 0], [name, 2]]);
    // Few rows go through the exchange only where they are computed at once.
    if (name === 'crossEntropy') expect(numbers[isSmallAt]).toBe(0);
    const { plain } = kernels;
    numbers[jobAt] = 99;
    plain.softmax(x.data, x.data, 6, 3);
    expect(numbers[jobAt]).toBe(0);
  });

  test('steps one after the other', async () => {
    const { jobs, told, end, one } = fakeAddon();
    let isOver = false;
    const promise = runSteps(jobs, [one, one], 1, undefined).then(() => {
      isOver = true;
    });
    await turn();
    expect(told).toEqual(['connect', ['softmax', 1]]);
    end(1);
    await turn();
    expect(told).toEqual(['connect', ['softmax', 1], ['softmax', 2]]);
    expect(isOver).toBe(false);
    end(2);
    await promise;
  });

  test('no thread could be begun: computed at once', async () => {
    const { jobs, told, one } = fakeAddon((id) => id !== 2);
    const done = runSteps(jobs, [one], 1, undefined);
    const atOnce = runSteps(jobs, [one, one], 1, undefined);
    expect(told).toEqual(['connect', ['softmax', 1], ['softmax', 2], ['softmax', 3]]);
    void done;
    void atOnce;
  });

  test('abort cancels, rejects before the job is over, and goes no further', async () => {
    const { jobs, told, end, one } = fakeAddon();
    const controller = new AbortController();
    const promise = runSteps(jobs, [one, one], 1, controller.signal);
    controller.abort('enough');
    await expect(promise).rejects.toBe('enough');
    expect(told).toEqual(['connect', ['softmax', 1], ['cancel', 1]]);
    end(1, true);
    end(1, true);
    await turn();
    expect(told.length).toBe(3);
  });

  test('the memory of a job lives until it is over, also when it was cancelled', async () => {
    const { jobs, kernels, end } = fakeAddon();
    setFlagsFromString('--expose-gc');
    const gc: () => void = runInNewContext('gc');
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    // Not in begin: it would keep what is there alive.
    const ignore = () => {};
    const begin = (inner: Jobs) => {
      const own = { data: new Float32Array(6), dtype: 'float32' } as const;
      registry.register(own.data, 0);
      inner.start({ rows, run: (some) => rowKernelsOf(kernels).softmax(own, own, some) }, 1, ignore).cancel();
    };
    begin(jobs);
    const collect = async () => {
      for (let i = 0; i < 10; i++) {
        await turn();
        gc();
      }
    };
    await collect();
    expect(collected).toBe(false);
    end(1, true);
    await collect();
    expect(collected).toBe(true);
  });

  test('an error of the addon', async () => {
    const { jobs, one } = fakeAddon(() => {
      throw new TypeError('an array is too short');
    });
    await expect(runSteps(jobs, [one], 1, undefined)).rejects.toThrow('too short');
    const {
      jobs: later,
      end,
      one: other,
    } = fakeAddon((id) => {
      if (id === 2) throw new TypeError('an array is too short');
      return true;
    });
    const promise = runSteps(later, [other, other], 1, undefined);
    end(1);
    await expect(promise).rejects.toThrow('too short');
  });
});
