// softmax-native eval: loss, accuracy and calibration of a file of logits beside a file of labels.

import { closeSync } from 'node:fs';
import { basename } from 'node:path';
import { readArguments, readDtypes, readNumber } from './arguments.js';
import { diagramOf } from './eval/diagram.js';
import { type Fit, fitTemperature, requireOptimum, rowsFrom } from './eval/fit.js';
import { jsonOf, tableOf } from './eval/report.js';
import { type Measured, type Settings, Tally } from './eval/tally.js';
import { Failure, ofFile, UsageError } from './failures.js';
import { type Choice, type InputFile, openInput } from './files/input.js';
import { filesOf } from './files/named.js';
import { OutputFile } from './files/output.js';
import { writeAll } from './files/pieces.js';
import { type IntegerType, integers } from './npy/dtypes.js';
import { LabelledFiles } from './rows/labelled-rows.js';
import { displayProgress, painter, print, printJson } from './terminal.js';

interface Request {
  readonly logits: string;
  readonly labels: string;
  readonly ofLogits: Choice;
  readonly ofLabels: Choice<IntegerType>;
  readonly ignoreIndex: number;
  readonly bins: number;
  readonly temperature: number;
  readonly fits: boolean;
  readonly diagram: string | undefined;
  readonly force: boolean;
  readonly json: boolean;
}

/** Their reciprocals are numbers, too. */
const isTemperature = (t: number): boolean => t >= 1e-300 && t <= 1e300;
const isBinCount = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= 1000;

function readRequest(words: readonly string[]): Request {
  const { values, positionals } = readArguments('eval', words, {
    'ignore-index': { type: 'string', default: '-100' },
    bins: { type: 'string', default: '15' },
    temperature: { type: 'string' },
    'fit-temperature': { type: 'boolean', default: false },
    diagram: { type: 'string' },
    force: { type: 'boolean', default: false },
    array: { type: 'string' },
    'labels-array': { type: 'string' },
    dtype: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  const [logits, labels] = filesOf('eval', positionals, ['LOGITS', 'LABELS']) as [string, string];
  const fail = (message: string) => new UsageError(message, 'eval');
  const number = (option: string, text: string, isFine: (value: number) => boolean, wanted: string) =>
    readNumber('eval', option, text, isFine, wanted);
  if (logits === '-' && labels === '-') throw fail("LOGITS and LABELS can't both be standard input");
  if (values.diagram === '') throw fail('--diagram is empty');
  const fits = values['fit-temperature'];
  if (fits && values.temperature !== undefined)
    throw fail('--temperature and --fit-temperature exclude each other');
  return {
    logits,
    labels,
    ofLogits: { array: values.array, option: '--array', dtypes: readDtypes('eval', values.dtype) },
    ofLabels: { array: values['labels-array'], option: '--labels-array', dtypes: integers },
    ignoreIndex: number('ignore-index', values['ignore-index'], Number.isSafeInteger, 'an integer'),
    bins: number('bins', values.bins, isBinCount, 'an integer in [1, 1000]'),
    temperature: number(
      'temperature',
      values.temperature ?? '1',
      isTemperature,
      'a number in [1e-300, 1e300]',
    ),
    fits,
    diagram: values.diagram,
    force: values.force,
    json: values.json,
  };
}

export async function evaluate(words: readonly string[]): Promise<void> {
  const request = readRequest(words);
  const inputs: InputFile<string>[] = [];
  let output: OutputFile | undefined;
  try {
    const logits = await openInput(request.logits, request.ofLogits);
    inputs.push(logits);
    const labels = await openInput(request.labels, request.ofLabels);
    inputs.push(labels);
    const files = new LabelledFiles(logits, labels, request.ignoreIndex);
    // What can't be written is known before anything is computed.
    if (request.diagram !== undefined) output = new OutputFile(request.diagram, request.force);
    const { first, fit } = await measure(files, request, logits.file);
    const columns = [first.figures, ...(fit ? [fit.measured.figures] : [])];
    if (output) {
      writeAll(output, Buffer.from(diagramOf(columns, basename(request.logits))), 0);
      output.commit();
    }
    if (request.json) printJson(jsonOf(first.figures, files.classes, fit));
    else print(tableOf(columns, files.classes, fit, painter(process.stdout)));
  } finally {
    output?.abandon();
    for (const { descriptor } of inputs) closeSync(descriptor);
  }
}

/** At the temperature given, and where a temperature is to be fitted, at that. */
async function measure(
  files: LabelledFiles,
  { temperature, bins, fits }: Request,
  file: string,
): Promise<{ first: Measured; fit: Fit | undefined }> {
  const api = await import('softmax-native');
  const settings = { api, classes: files.classes, bins, wantsSlope: fits };
  const first = await pass(files, { ...settings, temperature }, file);
  ofFile(file, () => {
    requireFigures(first);
    if (fits) requireOptimum(first);
  });
  const again = (t: number) => pass(files, { ...settings, temperature: t }, file);
  return { first, fit: fits ? await fitTemperature(first, again) : undefined };
}

/** Reads all rows. */
async function pass(files: LabelledFiles, settings: Settings, file: string): Promise<Measured> {
  const tally = new Tally(settings);
  const bar = displayProgress(files.size, basename(file), false);
  try {
    for await (const rows of files.blocks()) {
      tally.add(rows);
      bar.add((rows.labels.length / files.rows) * files.size);
    }
  } finally {
    bar.stop();
  }
  return tally.measured();
}

function requireFigures({ figures, undefinedRows: { count, first } }: Measured): void {
  if (count > 0)
    throw new Failure(
      `NaN, Infinity or nothing but -Infinity is in ${rowsFrom(count, first)}: give such rows the ignored label, ` +
        'or find their cause',
    );
  if (figures.rows === 0) throw new Failure(`all ${figures.ignored} labels are the ignored one`);
}
