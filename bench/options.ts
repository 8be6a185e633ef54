// What options, types and axes cost: calls beside the plain call of the same function, on every backend. One that takes
// many times as long as its neighbours has no code of its own, or the compiler's is bad.
//
//   npm run bench options

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  argMax,
  backend,
  crossEntropy,
  distillationLoss,
  klDivergence,
  logSoftmax,
  logSumExp,
  partial,
  sample,
  setThreads,
  softmax,
  softmaxBackward,
  tokenLogProbs,
  topK,
} from 'softmax-native';
import { parseShape, rowsOf, type Shape, shapeName } from './cases.js';
import { machine } from './machine.js';
import { race } from './race.js';
import { missing, shownRatio, shownTime, textTable } from './table.js';
import { estimate, medianTime } from './timing.js';

const shapes = ['64x1000', '1x128256', '1536x128', '4096x10', '1000x64 axis 0'].map(parseShape);
const backends: readonly Record<string, string>[] = [
  { SOFTMAX_BACKEND: 'native' },
  { SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: 'avx2' },
  { SOFTMAX_BACKEND: 'wasm' },
  { SOFTMAX_BACKEND: 'js' },
];
const budget = { turns: 7, turn: 5e6, race: 2e8 };

type Calls = Readonly<Record<string, () => unknown>>;

/** The first of each function is what the others are compared with. */
function callsOf(problem: Shape): Readonly<Record<string, Calls>> {
  const { dims, axis } = problem;
  const { rows, classes } = rowsOf(problem);
  const elements = rows * classes;
  const shape = [...dims];
  const given = { shape, axis };
  const random = (from: number, to: number) => (): number => from + (to - from) * Math.random();
  const floats = (length: number, next: () => number) => Float32Array.from({ length }, next);
  const x = floats(elements, random(-6, 6));
  const x64 = Float64Array.from(x);
  const x16 = Uint16Array.from(
    x,
    (value) => (new Uint32Array(Float32Array.of(value).buffer)[0] as number) >>> 16,
  );
  const [out, out64, out16] = [
    new Float32Array(elements),
    new Float64Array(elements),
    new Uint16Array(elements),
  ];
  const of16 = { ...given, dtype: 'bfloat16' } as const;
  const mask = Uint8Array.from({ length: elements }, () => Number(Math.random() < 0.9));
  const temperature = Float64Array.from({ length: rows }, random(0.5, 2));
  const weight = floats(classes, random(0.5, 1.5));
  const target = Int32Array.from({ length: rows }, () => Math.floor(Math.random() * classes));
  const p = softmax(floats(elements, random(-3, 3)), given);
  const grad = new Float32Array(elements);
  const withGrad = { ...given, grad };
  const labelSmoothing = 0.1;
  const loss = (more: object) => () => crossEntropy(x, target, { ...withGrad, ...more });
  const k = Math.min(5, classes);
  const filters = { temperature: 0.7, topK: Math.min(50, classes), topP: 0.9, seed: 1 };
  return {
    softmax: {
      plain: () => softmax(x, { ...given, out }),
      temperature: () => softmax(x, { ...given, temperature: 0.7, out }),
      'one per row': () => softmax(x, { ...given, temperature, out }),
      mask: () => softmax(x, { ...given, mask, out }),
      float64: () => softmax(x64, { ...given, out: out64 }),
      bfloat16: () => softmax(x16, { ...of16, out: out16 }),
      logSoftmax: () => logSoftmax(x, { ...given, out }),
      softmaxBackward: () => softmaxBackward(p, x, { ...given, out }),
    },
    logSumExp: {
      plain: () => logSumExp(x, given),
      mask: () => logSumExp(x, { ...given, mask }),
      bfloat16: () => logSumExp(x16, of16),
      partial: () => partial(x, given),
      tokenLogProbs: () => tokenLogProbs(x, target, given),
      'tokenLogProbs, mask': () => tokenLogProbs(x, target, { ...given, mask }),
      'tokenLogProbs, bfloat16': () => tokenLogProbs(x16, target, of16),
      'tokenLogProbs, top 5': () => tokenLogProbs(x, target, { ...given, top: k }),
    },
    'crossEntropy, grad': {
      plain: loss({}),
      mask: loss({ mask }),
      weight: loss({ weight }),
      labelSmoothing: loss({ labelSmoothing }),
      'weight, labelSmoothing': loss({ weight, labelSmoothing }),
      probabilities: () => crossEntropy(x, p, withGrad),
      distillationLoss: () => distillationLoss(x, p, { ...withGrad, temperature: 2 }),
      klDivergence: () => klDivergence(x, p, given),
    },
    argMax: {
      plain: () => argMax(x, given),
      mask: () => argMax(x, { ...given, mask }),
      bfloat16: () => argMax(x16, of16),
      'topK 5': () => topK(x, k, given),
      'topK 5, mask': () => topK(x, k, { ...given, mask }),
      'topK 5, bfloat16': () => topK(x16, k, of16),
    },
    sample: {
      plain: () => sample(x, { ...given, ...filters }),
      mask: () => sample(x, { ...given, ...filters, mask }),
      float64: () => sample(x64, { ...given, ...filters }),
      bfloat16: () => sample(x16, { ...of16, ...filters }),
    },
  };
}

/** Medians, by function and call. */
async function measure(problem: Shape): Promise<number[][]> {
  const found: number[][] = [];
  for (const calls of Object.values(callsOf(problem))) {
    const contestants = await Promise.all(
      Object.entries(calls).map(async ([name, run]) => {
        const expected = await estimate(run, 1e6);
        return { name, expected, error: undefined, turn: (time: number) => medianTime(run, expected, time) };
      }),
    );
    const times = await race(contestants, budget);
    found.push(Object.keys(calls).map((name) => times[name]?.median ?? Number.NaN));
  }
  return found;
}

function print(name: string, columns: readonly number[][][]): void {
  const lines = Object.entries(callsOf(parseShape('1x10'))).flatMap(([fn, calls], i) =>
    Object.keys(calls).map((call, j) => [
      j === 0 ? fn : `  ${call}`,
      ...columns.map((found) => {
        const [time, plain] = [found[i]?.[j], found[i]?.[0]];
        if (time === undefined || plain === undefined) return missing;
        return j === 0 ? shownTime(time) : shownRatio(time / plain);
      }),
    ]),
  );
  console.log(`\n${textTable([[name, ...shapes.map(shapeName)], ...lines])}`);
}

const [given] = process.argv.slice(2);
if (given === undefined) {
  console.log(`${machine.cpu}, Node ${machine.node}; one thread; medians, and how many times the plain call`);
  const file = fileURLToPath(import.meta.url);
  for (const env of backends) {
    const columns = shapes.map((_, i) => {
      const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const;
      const { stdout } = spawnSync(process.execPath, [...process.execArgv, file, String(i)], options);
      return JSON.parse(stdout || '[]') as number[][];
    });
    print(Object.values(env).join(' '), columns);
  }
} else {
  setThreads(1);
  const wanted = process.env.SOFTMAX_ISA;
  const isOther = backend.kind !== process.env.SOFTMAX_BACKEND || (wanted && backend.isa !== wanted);
  console.log(JSON.stringify(isOther ? [] : await measure(shapes[Number(given)] as Shape)));
}
