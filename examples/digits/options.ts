import { parseArgs } from 'node:util';
import { TRAIN_IMAGES } from './data.js';

export type BackendChoice = 'auto' | 'native' | 'js';

export interface Options {
  epochs: number;
  batchSize: number;
  learningRate: number;
  seed: number;
  backend: BackendChoice;
  svg: string;
  help: boolean;
}

/** A mistake on the command line, told to the user in one line. */
export class UsageError extends Error {}

const BACKENDS: readonly BackendChoice[] = ['auto', 'native', 'js'];

const SPECIFICATION = {
  epochs: { type: 'string', default: '12' },
  'batch-size': { type: 'string', default: '64' },
  'learning-rate': { type: 'string', default: '0.5' },
  seed: { type: 'string', default: '2' },
  backend: { type: 'string', default: 'auto' },
  svg: { type: 'string', default: 'digits-loss.svg' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const HELP = `Learns to read handwritten digits by softmax regression, with softmax-native.

usage: npm start -- [options]

  --epochs N           passes over the training images (default ${SPECIFICATION.epochs.default})
  --batch-size N       images per gradient step (default ${SPECIFICATION['batch-size'].default})
  --learning-rate X    length of a gradient step; falls evenly to zero (default ${SPECIFICATION['learning-rate'].default})
  --seed N             seed of the train/test split and of the order of the images (default ${SPECIFICATION.seed.default})
  --backend NAME       ${BACKENDS.join(', ')} (default ${SPECIFICATION.backend.default}: native where it loads, else js)
  --svg FILE           where the loss curve goes (default ${SPECIFICATION.svg.default})
  -h, --help           this text

examples:
  npm start -- --epochs 30 --learning-rate 0.2
  npm start -- --backend js --svg /tmp/loss.svg`;

/** Reads the command line; throws a UsageError that names the option at fault. */
export function parseOptions(args: string[]): Options {
  const { values } = parse(args);
  return {
    epochs: integer('epochs', values.epochs, 1, 1000),
    batchSize: integer('batch-size', values['batch-size'], 1, TRAIN_IMAGES),
    learningRate: learningRate(values['learning-rate']),
    seed: integer('seed', values.seed, 0, 2 ** 32 - 1),
    backend: backend(values.backend),
    svg: fileName(values.svg),
    help: values.help,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: SPECIFICATION });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Node's message goes on with advice over several sentences and lines; the first one names the option.
    throw new UsageError(error.message.split(/\.?\n|\. /)[0]);
  }
}

function integer(name: string, text: string, lowest: number, highest: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= lowest && value <= highest) return value;
  throw new UsageError(`--${name} must be a whole number from ${lowest} to ${highest}, not '${text}'`);
}

function learningRate(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= 100) return value;
  throw new UsageError(`--learning-rate must be a number above 0, at most 100, not '${text}'`);
}

function backend(text: string): BackendChoice {
  const choice = BACKENDS.find((name) => name === text);
  if (choice) return choice;
  throw new UsageError(`--backend must be one of ${BACKENDS.join(', ')}, not '${text}'`);
}

function fileName(text: string): string {
  if (text !== '') return text;
  throw new UsageError('--svg must name a file');
}
