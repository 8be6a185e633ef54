// From logits to labels and tokens: calls on one row of 128256 logits like a language model's, beside logSumExp of the row
// and beside what people do without this library. All take turns in one run, on one thread; minima.
//
//   npm run bench tokens      prints the table, writes docs/tokens.svg and the numbers into docs/tokens.md

import { readFileSync, writeFileSync } from 'node:fs';
import * as javascript from 'softmax-native/js';
import * as native from 'softmax-native/native';
import { Random } from '../../test/helpers/random.js';
import { barChart } from '../chart.js';
import { machine } from '../machine.js';
import { installPeers } from '../peers/install.js';
import { markdownTable, shownRatio, shownTime, textTable } from '../table.js';
import { picture } from './picture.js';
import { indexSort, sortedPairs, topLoop } from './plain.js';
import { pytorchCalls } from './pytorch.js';
import { transformersSampler } from './transformers.js';

const classes = 128_256;
const rounds = 40;
/** Nanoseconds of a turn. */
const turn = 2e6;

/** 2.2 · N(0, 1), and 40 outliers at 12 + 3 · N(0, 1). */
function peakedRow(random: Random): Float32Array {
  const row = random.normals(classes, 2.2);
  const outliers = random.normals(40, 3);
  outliers.forEach((value) => {
    row[random.integer(classes)] = 12 + value;
  });
  return row;
}

const random = new Random(2026);
const peaked = peakedRow(random);
const flat = random.normals(classes, 0.1);

type Library = Pick<typeof native, 'logSumExp' | 'argMax' | 'topK' | 'sample' | 'tokenLogProbs'>;

/** What is asked of a library: `most` times as long as logSumExp. */
interface Case {
  readonly name: string;
  readonly most?: number;
  call(library: Library): () => unknown;
}

const places = (k: number) => ({ values: new Float32Array(k), indices: new Int32Array(k) });
const draw = (row: Float32Array, options: object) => (library: Library) => {
  const given = { ...options, seed: 1, out: { tokens: new Int32Array(1) } };
  return () => library.sample(row, given);
};
const topK = (k: number) => (library: Library) => {
  const out = places(k);
  return () => library.topK(peaked, k, { out });
};

const usual = { temperature: 0.7, topK: 50, topP: 0.9 };
const penalties = { tokens: random.classes(500, classes), repetition: 1.1, frequency: 0.2 };
/** A grammar's: three classes of four. */
const allowed = Int32Array.from(
  { length: classes / 32 },
  () => random.integer(2 ** 32) | random.integer(2 ** 32),
);
const drawAndReport = (library: Library) => {
  const out = { tokens: new Int32Array(1), topTokens: new Int32Array(5), topLogProbs: new Float32Array(5) };
  return () => library.sample(peaked, { ...usual, seed: 1, top: 5, out });
};

const nucleus = 'sample: topP 0.9';
const both = 'sample: T 0.7, topK 50, topP 0.9';
const cases: readonly Case[] = [
  { name: 'logSumExp', call: (library) => () => library.logSumExp(peaked) },
  { name: 'argMax', most: 0.35, call: (library) => () => library.argMax(peaked) },
  { name: 'topK(5)', most: 0.6, call: topK(5) },
  { name: 'topK(50)', most: 0.8, call: topK(50) },
  { name: 'topK(1000)', most: 2, call: topK(1000) },
  { name: 'sample: T 0.7', most: 1.3, call: draw(peaked, { temperature: 0.7 }) },
  { name: both, most: 1.2, call: draw(peaked, usual) },
  { name: nucleus, most: 1.5, call: draw(peaked, { topP: 0.9 }) },
  { name: `${nucleus}, flat row`, most: 5, call: draw(flat, { topP: 0.9 }) },
  { name: 'sample: minP 0.05', most: 1.3, call: draw(peaked, { minP: 0.05 }) },
  { name: 'sample: typicalP 0.9', call: draw(peaked, { typicalP: 0.9 }) },
  { name: 'sample: topNSigma 1', call: draw(peaked, { topNSigma: 1 }) },
  { name: `${both}, 500 penalties`, call: draw(peaked, { ...usual, penalties }) },
  { name: `${both}, allowed`, call: draw(peaked, { ...usual, allowed }) },
  { name: `${both}, bias of all classes`, call: draw(peaked, { ...usual, bias: flat }) },
  { name: `${both}, top 5 reported`, call: drawAndReport },
  {
    name: 'tokenLogProbs, top 20',
    most: 1.5,
    call: (library) => {
      const target = Int32Array.of(17);
      const out = {
        ...{ logProbs: new Float32Array(1), ranks: new Int32Array(1), logSumExp: new Float32Array(1) },
        ...{ topLogProbs: new Float32Array(20), topTokens: new Int32Array(20) },
      };
      return () => library.tokenLogProbs(peaked, target, { top: 20, out });
    },
  },
];

interface Contestant {
  readonly name: string;
  readonly call: () => unknown;
  best: number;
}

const contestant = (name: string, call: () => unknown): Contestant => ({ name, call, best: Infinity });

/** A turn: calls for some time, at least one; the fastest counts. */
async function takeTurn(one: Contestant): Promise<void> {
  const end = process.hrtime.bigint() + BigInt(turn);
  do {
    const begin = process.hrtime.bigint();
    const result = one.call();
    if (result instanceof Promise) await result;
    one.best = Math.min(one.best, Number(process.hrtime.bigint() - begin));
  } while (process.hrtime.bigint() < end);
}

native.setThreads(1);
installPeers();
const ours = cases.map(({ name, call }) => contestant(name, call(native)));
const inJavascript = cases.map(({ name, call }) => contestant(name, call(javascript as Library)));
const others = [
  contestant('top 5, a JavaScript loop', () => topLoop(peaked, 5)),
  contestant('topP 0.9, indices sorted', () => indexSort(peaked, 0.9)),
  contestant('topP 0.9, pairs sorted', () => sortedPairs(peaked, 0.9)),
  ...(await transformersSampler(peaked)).map(({ name, call }) => contestant(name, call)),
];
for (let round = 0; round < rounds; round++) {
  for (const one of [...ours, ...inJavascript]) await takeTurn(one);
  // Those that take a hundred milliseconds sit rounds out.
  if (round % 8 === 0) for (const one of others) await takeTurn(one);
}
const pytorch = await pytorchCalls(peaked, flat);

const timeOf = (list: readonly Contestant[], name: string) => list.find((one) => one.name === name)?.best;
const base = timeOf(ours, 'logSumExp') as number;
const own = [
  ['one row of 128256 logits', 'native', 'times logSumExp', 'wanted', 'JavaScript'],
  ...cases.map(({ name, most }) => {
    const time = timeOf(ours, name) as number;
    const wanted = most === undefined ? '' : `≤ ${most}`;
    return [name, shownTime(time), shownRatio(time / base), wanted, shownTime(timeOf(inJavascript, name))];
  }),
];
const reference = timeOf(ours, nucleus) as number;
const combined = timeOf(ours, both) as number;
const beside = [
  ['without this library', 'time', 'times as long as here'],
  ...[...others, ...pytorch].map(({ name, best }) => {
    const here = name.startsWith('top 5')
      ? (timeOf(ours, 'topK(5)') as number)
      : name.includes('topK')
        ? combined
        : reference;
    return [name, shownTime(best), shownRatio(best / here)];
  }),
];
console.log(`${textTable(own)}\n\n${textTable(beside)}`);

const page = new URL('../../docs/tokens.md', import.meta.url);
const text = readFileSync(page, 'utf8');
const [begin, end] = ['<!-- measured: -->', '<!-- :measured -->'];
const [head = '', rest = ''] = text.split(begin);
const [, tail = ''] = rest.split(end);
const when = `${machine.date.slice(0, 10)}, ${machine.cpu}, ${machine.arch}, one thread, Node ${machine.node}, ${native.backend.isa}`;
writeFileSync(
  page,
  `${head}${begin}\n\n${markdownTable(own)}\n\n${markdownTable(beside)}\n\nMinima of one run in which all take turns: ${when}.\n\n${end}${tail}`,
);
const chart = barChart({
  title: 'From 128256 logits to a token, times as fast as sorted pairs in JavaScript',
  subtitle: `topP 0.9; ${when}`,
  names: ['softmax-native', 'JavaScript backend', ...pytorch.slice(-1).map(({ name }) => name)],
  panels: [
    {
      title: nucleus,
      groups: [
        {
          label: 'peaked row',
          values: Object.fromEntries(
            [
              ['softmax-native', reference],
              ['JavaScript backend', timeOf(inJavascript, nucleus) as number],
              ...pytorch.slice(-1).map(({ name, best }) => [name, best] as const),
            ].map(([name, time]) => [
              name,
              (timeOf(others, 'topP 0.9, pairs sorted') as number) / Number(time),
            ]),
          ),
        },
      ],
    },
  ],
});
writeFileSync(new URL('../../docs/tokens.svg', import.meta.url), chart);
writeFileSync(new URL('../../docs/tokens-kept.svg', import.meta.url), picture());
