// softmax-native apply: softmax along an axis of a .npy file of any size.

import { closeSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readArguments, readDtypes, readNumber } from './arguments.js';
import { ofFile, shownName, UsageError } from './failures.js';
import { type Choice, type InputFile, isStream, openInput } from './files/input.js';
import { fileOf } from './files/named.js';
import { type Output, OutputFile, StandardOutput } from './files/output.js';
import { writeAll } from './files/pieces.js';
import { program } from './help.js';
import { shownTuple } from './npy/header.js';
import { computeColumns, computeSlices, type FunctionName, type Task } from './rows/block.js';
import { layoutOf, type Plan, planOf } from './rows/layout.js';
import { computeLongRows } from './rows/long-rows.js';
import { displayProgress, print } from './terminal.js';

const mebibyte = 2 ** 20;
const most = 2048;
const least = 0.001;
const standardOutputs = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];
const functionNames: readonly string[] = ['softmax', 'log-softmax'] satisfies readonly FunctionName[];

interface Request extends Choice {
  readonly file: string;
  /** '-': standard output. */
  readonly output: string;
  readonly functionName: FunctionName;
  readonly axis: number;
  readonly temperature: number;
  /** Bytes. */
  readonly memory: number;
  readonly force: boolean;
  readonly quiet: boolean;
}

/** Beside the input, or to standard output when that is from standard input. */
function outputFor(file: string, array: string | undefined, functionName: string): string {
  if (isStream(file)) return '-';
  const name = [
    basename(file).replace(/\.np[yz]$/, ''),
    ...(array === undefined ? [] : [basename(array, '.npy')]),
  ];
  return join(dirname(file), `${name.join('.')}.${functionName}.npy`);
}

function readRequest(words: readonly string[]): Request {
  const { values, positionals } = readArguments('apply', words, {
    function: { type: 'string', default: 'softmax' },
    axis: { type: 'string', default: '-1' },
    temperature: { type: 'string', default: '1' },
    array: { type: 'string' },
    dtype: { type: 'string' },
    output: { type: 'string' },
    force: { type: 'boolean', default: false },
    memory: { type: 'string', default: '256' },
    quiet: { type: 'boolean', default: false },
  });
  const file = fileOf('apply', positionals);
  const fail = (message: string) => new UsageError(message, 'apply');
  const number = (option: string, text: string, isFine: (value: number) => boolean, wanted: string) =>
    readNumber('apply', option, text, isFine, wanted);
  if (values.output === '') throw fail('--output is empty');
  if (!functionNames.includes(values.function))
    throw fail(`--function must be softmax or log-softmax, got '${shownName(values.function)}'`);
  const dtypes = readDtypes('apply', values.dtype);
  const axis = number('axis', values.axis, Number.isSafeInteger, 'an integer');
  const temperature = number('temperature', values.temperature, (t) => t >= 0, 'a number of at least 0');
  const isMemory = (size: number) => size >= least && size <= most;
  const memory = number('memory', values.memory, isMemory, `a number of MiB in [${least}, ${most}]`);
  const output = values.output ?? outputFor(file, values.array, values.function);
  return {
    file,
    array: values.array,
    option: '--array',
    dtypes,
    output: standardOutputs.includes(resolve(output)) ? '-' : output,
    functionName: values.function as FunctionName,
    axis,
    temperature,
    memory: Math.floor(memory * mebibyte),
    force: values.force,
    quiet: values.quiet,
  };
}

export async function apply(words: readonly string[]): Promise<void> {
  const request = readRequest(words);
  // A terminal is refused before anything is read.
  const standardOutput = request.output === '-' ? new StandardOutput() : undefined;
  const api = await import('softmax-native');
  const input = await openInput(request.file, request);
  try {
    const layout = ofFile(input.file, () => layoutOf(input.header, request.axis));
    const output: Output = standardOutput ?? new OutputFile(request.output, request.force);
    try {
      await write({ ...request, api, input, output, layout, header: input.header });
      await output.commit();
    } finally {
      output.abandon();
    }
    if (!request.quiet && standardOutput === undefined) print(summary(request, input));
  } finally {
    closeSync(input.descriptor);
  }
}

/** The same header: shape, dtype and order stay. Then the data. */
async function write(
  task: Omit<Task, 'progress'> & Pick<Request, 'memory' | 'quiet'> & { readonly input: InputFile },
): Promise<void> {
  const { header, layout, input, output } = task;
  writeAll(output, input.headerBytes, 0);
  if (header.dataSize === 0) return;
  const plan = planOf(layout, header.elementSize, task.memory);
  const isInPieces = plan.kind === 'long rows';
  if (isInPieces) process.stderr.write(noteOfPieces(input.file, layout.length * header.elementSize));
  const bar = displayProgress(header.dataSize * (isInPieces ? 2 : 1), basename(input.file), task.quiet);
  try {
    await compute({ ...task, progress: (bytes) => bar.add(bytes) }, plan);
  } finally {
    bar.stop();
  }
}

/** The only case without the bits of a single call. */
const noteOfPieces = (file: string, rowSize: number): string =>
  `${program}: ${shownName(file)}: a row of ${rowSize} bytes is larger than --memory: it is computed in pieces, ` +
  'and its last bits may differ from those of one call\n';

async function compute(task: Task, plan: Plan): Promise<void> {
  if (plan.kind === 'slices') return computeSlices(task, plan.slices);
  if (plan.kind === 'columns') return computeColumns(task, plan.columns);
  return computeLongRows(task, plan.columns, plan.lines);
}

function summary({ output, functionName, axis }: Request, { header }: InputFile): string {
  const array = `${header.elementType} ${shownTuple(header.shape)}`;
  return `${shownName(output)}: ${functionName} along axis ${axis} of ${array}`;
}
