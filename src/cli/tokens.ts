// softmax-native topk and softmax-native sample: the most likely classes of each row of a .npy file, and classes drawn from
// it, as lines of text.

import { closeSync, readFileSync } from 'node:fs';
import { readArguments, readDtypes, readNumber } from './arguments.js';
import { Failure, ofFile, shownName, withFile } from './failures.js';
import { openInput } from './files/input.js';
import { fileOf } from './files/named.js';
import { program } from './help.js';
import { type NpyHeader, shownTuple } from './npy/header.js';
import { Block, type ElementArray, type Softmax } from './rows/block.js';
import { type Layout, layoutOf } from './rows/layout.js';
import { printLines } from './terminal.js';

type Name = 'topk' | 'sample';

const options = {
  axis: { type: 'string', default: '-1' },
  temperature: { type: 'string', default: '1' },
  labels: { type: 'string' },
  array: { type: 'string' },
  dtype: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const sampleOptions = {
  ...options,
  seed: { type: 'string' },
  step: { type: 'string' },
  count: { type: 'string', default: '1' },
  'top-k': { type: 'string' },
  'top-p': { type: 'string' },
  'min-p': { type: 'string' },
  'typical-p': { type: 'string' },
  'top-n-sigma': { type: 'string' },
} as const;

type Values = { readonly [name in keyof typeof options]?: string | boolean | undefined };

/** The whole array in memory, and what its rows are. */
interface Rows {
  readonly api: Softmax;
  readonly elements: ElementArray;
  readonly header: NpyHeader;
  readonly layout: Layout;
  readonly axis: number;
  readonly labels: readonly string[] | undefined;
}

/** One class of a row. */
interface Found {
  readonly token: number;
  readonly value: number;
}

const most = 2 ** 31;
const digits = 6;

function readLabels(file: string, classes: number): string[] {
  const text = withFile(file, "it can't be read", () => readFileSync(file, 'utf8'));
  // Some editors begin a file with a byte order mark.
  const labels = text.replace(/^\uFEFF|\r?\n$/g, '').split(/\r?\n/);
  if (labels.length === classes) return labels;
  throw new Failure(
    `${shownName(file)}: it has ${labels.length} lines, one label each, but there are ${classes} classes`,
  );
}

async function readRows(name: Name, words: readonly string[], values: Values): Promise<Rows> {
  const file = fileOf(name, words);
  const axis = readNumber(name, 'axis', values.axis as string, Number.isSafeInteger, 'an integer');
  const dtypes = readDtypes(name, values.dtype as string | undefined);
  const api = await import('softmax-native');
  const input = await openInput(file, {
    array: values.array as string | undefined,
    option: '--array',
    dtypes,
  });
  try {
    const { header } = input;
    const layout = ofFile(input.file, () => layoutOf(header, axis));
    if (header.dataSize > most)
      throw new Failure(
        `${shownName(input.file)}: its ${header.dataSize} bytes are more than the ${most} read at once`,
      );
    const labels =
      values.labels === undefined ? undefined : readLabels(values.labels as string, layout.length);
    const { outer, length, inner } = layout;
    const block = new Block({ header, layout, input }, outer * length * inner);
    const elements = await block.read({ line: 0, lines: outer * length, column: 0, columns: inner });
    return { api, elements, header, layout, axis, labels };
  } finally {
    closeSync(input.descriptor);
  }
}

/** As the library takes them. */
const problemOf = ({ layout, header }: Rows) => ({
  shape: [layout.outer, layout.length, layout.inner],
  axis: 1,
  dtype: header.elementType,
});

/** The place of a row: its index along each axis but that of the classes. */
function placeOf({ header, axis }: Rows, row: number): number[] {
  const { shape, isFortranOrder } = header;
  const sizes = shape.filter((_, i) => i !== (axis < 0 ? axis + shape.length : axis));
  // Rows are numbered as they lie in memory.
  const place = sizes.map(() => 0);
  let rest = row;
  for (let j = 0; j < sizes.length; j++) {
    const i = isFortranOrder ? j : sizes.length - 1 - j;
    place[i] = rest % (sizes[i] as number);
    rest = Math.floor(rest / (sizes[i] as number));
  }
  return place;
}

const shown = (value: number): number => Number(value.toPrecision(digits));

/** A line for each class that was found in a row, or an object for all of them. */
function* linesOf(
  rows: Rows,
  row: number,
  found: readonly Found[],
  name: 'probability' | 'logProb',
  isJson: boolean,
): Generator<string> {
  const { labels } = rows;
  const place = placeOf(rows, row);
  const labelOf = (token: number) => labels?.[token] ?? null;
  if (isJson) {
    const list = found.map(({ token, value }) => ({
      class: token,
      [name]: Number.isFinite(value) ? shown(value) : null,
      ...(labels && { label: labelOf(token) }),
    }));
    yield JSON.stringify({ ...(place.length > 0 && { row: place }), classes: list });
    return;
  }
  const start = place.length === 0 ? [] : [place.length === 1 ? String(place[0]) : shownTuple(place)];
  for (const { token, value } of found) {
    const label = labelOf(token);
    yield [...start, shown(value), token, ...(label === null ? [] : [shownName(label)])].join('\t');
  }
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

export async function topk(words: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('topk', words, {
    ...options,
    k: { type: 'string' },
  });
  const isPositive = (n: number) => isCount(n) && n > 0;
  const k =
    values.k === undefined
      ? undefined
      : readNumber('topk', 'k', values.k, isPositive, 'an integer of at least 1');
  const isTemperature = (t: number) => t >= 0;
  const temperature = readNumber(
    'topk',
    'temperature',
    values.temperature,
    isTemperature,
    'a number of at least 0',
  );
  const rows = await readRows('topk', positionals, values);
  const { outer, length, inner } = rows.layout;
  if (k !== undefined && k > length && length > 0)
    throw new Failure(`--k is ${k}, but there are ${length} classes`);
  const places = Math.min(k ?? 5, length);
  const size = outer * places * inner;
  const isDouble = rows.header.elementType === 'float64';
  const out = {
    values: isDouble ? new Float64Array(size) : new Float32Array(size),
    indices: new Int32Array(size),
  };
  rows.api.topK(rows.elements, places, { ...problemOf(rows), temperature, values: 'probabilities', out });
  for (let row = 0; row < outer * inner; row++) {
    const first = Math.floor(row / inner) * places * inner + (row % inner);
    const list = Array.from({ length: places }, (_, j) => ({
      token: out.indices[first + j * inner] as number,
      value: out.values[first + j * inner] as number,
    }));
    await printLines(linesOf(rows, row, list, 'probability', values.json));
  }
}

export async function sample(words: readonly string[]): Promise<void> {
  const { values, positionals } = readArguments('sample', words, sampleOptions);
  const number = (option: keyof typeof sampleOptions, isFine: (value: number) => boolean, wanted: string) =>
    values[option] === undefined
      ? undefined
      : readNumber('sample', option, values[option] as string, isFine, wanted);
  const isShare = (p: number) => p > 0 && p <= 1;
  const atLeast0 = (t: number) => t >= 0;
  const count = number('count', (n) => isCount(n) && n > 0, 'an integer of at least 1') as number;
  const settings = {
    temperature: number('temperature', atLeast0, 'a number of at least 0'),
    topK: number('top-k', isCount, 'an integer of at least 0'),
    topP: number('top-p', isShare, 'a number in (0, 1]'),
    minP: number('min-p', (p) => p >= 0 && p <= 1, 'a number in [0, 1]'),
    typicalP: number('typical-p', isShare, 'a number in (0, 1]'),
    topNSigma: number('top-n-sigma', atLeast0, 'a number of at least 0'),
    seed: number('seed', Number.isSafeInteger, 'an integer'),
    step: number('step', isCount, 'an integer of at least 0'),
  };
  const rows = await readRows('sample', positionals, values);
  const { outer, inner } = rows.layout;
  const found = rows.api.sample(rows.elements, { ...problemOf(rows), ...settings, count });
  if (settings.seed === undefined)
    process.stderr.write(`${program}: --seed ${found.seed} repeats this run\n`);
  const tokens = found.tokens as Int32Array;
  const logProbs = found.logProbs as Float32Array;
  for (let row = 0; row < outer * inner; row++) {
    const list = Array.from({ length: count }, (_, j) => ({
      token: tokens[row * count + j] as number,
      value: logProbs[row * count + j] as number,
    }));
    await printLines(linesOf(rows, row, list, 'logProb', values.json));
  }
}
