// softmax-native apply: softmax along an axis of a .npy file of any size.

import { closeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readArguments, readNumber } from './arguments.js';
import { ofFile, shownName, UsageError } from './failures.js';
import { type InputFile, openInput } from './input-file.js';
import { layoutOf, type Plan, planOf } from './layout.js';
import { computeLongRows } from './long-rows.js';
import { shownTuple } from './npy-header.js';
import { print } from './output.js';
import { OutputFile } from './output-file.js';
import { writeAll } from './pieces.js';
import { displayProgress } from './progress.js';
import type { FunctionName, Task } from './task.js';
import { computeColumns, computeSlices } from './whole-rows.js';

const mebibyte = 2 ** 20;
const most = 2048;
const least = 0.001;
const functionNames: readonly string[] = ['softmax', 'log-softmax'] satisfies readonly FunctionName[];

interface Request {
  readonly file: string;
  readonly output: string;
  readonly functionName: FunctionName;
  readonly axis: number;
  readonly temperature: number;
  /** Bytes. */
  readonly memory: number;
  readonly force: boolean;
  readonly quiet: boolean;
}

function readFiles(positionals: readonly string[], output: string | undefined): string {
  const fail = (message: string) => new UsageError(message, 'apply');
  const [file, other] = positionals;
  if (file === undefined || file === '') throw fail('FILE is missing');
  if (other !== undefined) throw fail(`one FILE is expected, got '${shownName(other)}' too`);
  if (file === '-') throw fail("standard input ('-') is not supported: give a file");
  if (output === '-') throw fail("standard output ('-') is not supported: give a file");
  if (output === '') throw fail('--output is empty');
  return file;
}

function readRequest(words: readonly string[]): Request {
  const { values, positionals } = readArguments('apply', words, {
    function: { type: 'string', default: 'softmax' },
    axis: { type: 'string', default: '-1' },
    temperature: { type: 'string', default: '1' },
    output: { type: 'string' },
    force: { type: 'boolean', default: false },
    memory: { type: 'string', default: '256' },
    quiet: { type: 'boolean', default: false },
  });
  const file = readFiles(positionals, values.output);
  const number = (option: string, text: string, isFine: (value: number) => boolean, wanted: string) =>
    readNumber('apply', option, text, isFine, wanted);
  if (!functionNames.includes(values.function))
    throw new UsageError(
      `--function must be softmax or log-softmax, got '${shownName(values.function)}'`,
      'apply',
    );
  const axis = number('axis', values.axis, Number.isSafeInteger, 'an integer');
  const temperature = number('temperature', values.temperature, (t) => t >= 0, 'a number of at least 0');
  const isMemory = (size: number) => size >= least && size <= most;
  const memory = number('memory', values.memory, isMemory, `a number of MiB in [${least}, ${most}]`);
  const name = `${basename(file, '.npy')}.${values.function}.npy`;
  return {
    file,
    output: values.output ?? join(dirname(file), name),
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
  const api = await import('softmax-native');
  const input = openInput(request.file);
  try {
    const layout = ofFile(input.file, () => layoutOf(input.header, request.axis));
    const output = new OutputFile(request.output, request.force);
    try {
      await write({ ...request, api, input, output, layout, header: input.header });
      output.commit();
    } finally {
      output.abandon();
    }
    if (!request.quiet) print(summary(request, input));
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
  const ways = plan.kind === 'long rows' ? 2 : 1;
  const bar = displayProgress(header.dataSize * ways, basename(input.file), task.quiet);
  try {
    await compute({ ...task, progress: (bytes) => bar.add(bytes) }, plan);
  } finally {
    bar.stop();
  }
}

async function compute(task: Task, plan: Plan): Promise<void> {
  if (plan.kind === 'slices') return computeSlices(task, plan.slices);
  if (plan.kind === 'columns') return computeColumns(task, plan.columns);
  return computeLongRows(task, plan.columns, plan.lines);
}

function summary({ output, functionName, axis }: Request, { header }: InputFile): string {
  const array = `${header.elementType} ${shownTuple(header.shape)}`;
  return `${shownName(output)}: ${functionName} along axis ${axis} of ${array}`;
}
