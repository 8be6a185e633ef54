#!/usr/bin/env node
// The command line: npx softmax-native.

import { version } from '../version.js';
import { apply } from './apply.js';
import { suggestion } from './arguments.js';
import { bench } from './bench.js';
import { evaluate } from './evaluate.js';
import { Failure, failureOf, shownName, UsageError } from './failures.js';
import { helpOf, program } from './help.js';
import { info } from './info.js';
import { painter, print } from './terminal.js';
import { sample, topk } from './tokens.js';

type Command = (words: readonly string[]) => Promise<void>;

const commands: Readonly<Record<string, Command>> = { apply, topk, sample, eval: evaluate, bench, info };

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h';

function commandOf(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  throw new UsageError(`unknown command '${shownName(name)}'${suggestion(name, Object.keys(commands))}`);
}

async function run([name, ...words]: readonly string[]): Promise<void> {
  if (name === undefined) throw new UsageError('a command is missing');
  if (isHelp(name) || name === 'help') {
    const [about = '--help'] = words;
    if (!isHelp(about)) commandOf(about);
    return print(helpOf(about));
  }
  if (name === '--version' || name === '-v') return print(version);
  if (name.startsWith('-'))
    throw new UsageError(`unknown option '${shownName(name)}'${suggestion(name, ['--help', '--version'])}`);
  const command = commandOf(name);
  const end = words.indexOf('--');
  if (words.slice(0, end < 0 ? undefined : end).some(isHelp)) return print(helpOf(name));
  await command(words);
}

/** What the library says, of a backend that can't be had or of memory that there is not, is one line, too. */
function isOneLine(error: unknown): boolean {
  const { code, fn, message } = Object(error) as { code?: unknown; fn?: unknown; message?: unknown };
  return code === 'ERR_BACKEND' || fn !== undefined || message === 'Array buffer allocation failed';
}

/** Who reads the output may have seen enough, as `head` does. */
function isClosedReader(error: unknown): boolean {
  const { code, cause } = Object(error) as NodeJS.ErrnoException;
  return code === 'EPIPE' || (cause as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
}

function fail(thrown: unknown): void {
  if (isClosedReader(thrown)) return;
  // Errors of other files name them.
  const isOutput = Object(thrown).syscall === 'write';
  const error = isOutput ? failureOf('standard output', "it can't be written", thrown) : thrown;
  const prefix = painter(process.stderr)('red', `${program}:`);
  if (error instanceof UsageError) {
    const help = [program, ...(error.command === undefined ? [] : [error.command]), '--help'].join(' ');
    process.stderr.write(`${prefix} ${error.message} (see ${help})\n`);
    process.exitCode = 2;
    return;
  }
  const isExpected = error instanceof Failure || isOneLine(error);
  const { message, stack } = error as Error;
  process.stderr.write(`${prefix} ${isExpected ? message : (stack ?? String(error))}\n`);
  process.exitCode = 1;
}

// What the standard output has to say comes as an event, after print().
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit();
});

await run(process.argv.slice(2)).catch(fail);
