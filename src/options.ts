// Options, read once each and checked. What they come to is a plain row problem: rows, length, multiplier.

import { kindOf, lengthOf, requireFloat32 } from './arrays.js';
import { rangeError, shown, typeError } from './errors.js';
import { largestFloat } from './js/scaling.js';

/** Options of every function over rows. */
export interface ShapeOptions {
  /** The array's shape, row-major. Without it the array is one row. */
  readonly shape?: readonly number[] | undefined;
  /** The axis the function works along; negative counts from the end. Default −1, the last, the only one so far. */
  readonly axis?: number | undefined;
}

export interface ScalingOptions {
  /** τ: logits are divided by it. At least 0; 0 and Infinity are taken as limits where they exist. Default 1. */
  readonly temperature?: number | undefined;
  /** Logits are multiplied by it, as by attention's 1/√d. Finite. Default 1. */
  readonly scale?: number | undefined;
}

export interface OutOptions {
  /**
   * Where the result goes: an input itself (in place), or an array that shares no memory with the inputs. Sharing is
   * seen by the buffers' identity: two SharedArrayBuffer objects of the same memory look like different ones.
   */
  readonly out?: Float32Array | undefined;
}

/** Rows that lie one after another. */
export interface Rows {
  readonly rows: number;
  readonly length: number;
  /** The whole shape. */
  readonly shape: readonly number[];
}

/** An options object, or nothing. */
export function optionsOf<Options extends object>(
  fn: string,
  options: Options | undefined,
): Partial<Options> {
  if (options === undefined) return {};
  if (typeof options === 'object' && options !== null) return options;
  throw typeError('ERR_OPTION', `options must be an object, got ${shown(options)}`, {
    fn,
    argument: 'options',
  });
}

/** Options of the field that this version does not have: to ignore one would give a wrong answer without a word. */
export function refuseOptions(fn: string, options: object, names: readonly string[]): void {
  for (const name of names) {
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined || value === null) continue;
    throw typeError('ERR_OPTION', `${name} is not supported by this version`, { fn, argument: name, value });
  }
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function shapeOf(fn: string, shape: unknown): number[] {
  if (!Array.isArray(shape) && !ArrayBuffer.isView(shape))
    throw typeError('ERR_SHAPE', `shape must be an array, got ${shown(shape)}`, {
      fn,
      argument: 'shape',
      value: shape,
    });
  if (kindOf(shape) !== undefined) lengthOf(fn, 'shape', shape);
  const sizes = Array.from(shape as ArrayLike<unknown>);
  if (sizes.length === 0) throw rangeError('ERR_SHAPE', 'shape has no axes', { fn, argument: 'shape' });
  sizes.forEach((value, index) => {
    if (isSize(value)) return;
    const message = `shape[${index}] = ${shown(value)} is no non-negative integer`;
    throw rangeError('ERR_SHAPE', message, { fn, argument: 'shape', index, value });
  });
  return sizes as number[];
}

/** The last axis, or one that only axes of size 1 follow: its elements lie one after another. */
function axisOf(fn: string, axis: unknown, shape: readonly number[]): number {
  const count = shape.length;
  if (!Number.isInteger(axis) || (axis as number) < -count || (axis as number) >= count) {
    const message = `axis ${shown(axis)} is outside [${-count}, ${count})`;
    throw rangeError('ERR_AXIS', message, { fn, argument: 'axis', value: axis });
  }
  const index = (axis as number) < 0 ? (axis as number) + count : (axis as number);
  if (shape.slice(index + 1).every((size) => size === 1)) return index;
  const message = `axis ${axis} is not the last of ${count}, the only one this version supports`;
  throw rangeError('ERR_AXIS', message, { fn, argument: 'axis', value: axis });
}

/** The rows of an input, whose kind and length are checked here. Reads `shape` and `axis`. */
export function rowsOf(fn: string, argument: string, input: unknown, options: ShapeOptions): Rows {
  requireFloat32(fn, argument, input);
  const { shape: givenShape, axis = -1 } = options;
  if (givenShape === undefined) {
    const length = lengthOf(fn, argument, input);
    const shape = [length];
    axisOf(fn, axis, shape);
    return { rows: 1, length, shape };
  }
  const shape = shapeOf(fn, givenShape);
  const index = axisOf(fn, axis, shape);
  // After everything a caller's code could run in: reading the options may have detached the input.
  const elements = lengthOf(fn, argument, input);
  const product = shape.reduce((a, b) => a * b, 1);
  if (product !== elements) {
    const message = `shape [${shape.join(', ')}] has ${product} elements, but ${argument} has ${elements}`;
    throw rangeError('ERR_SHAPE', message, { fn, argument: 'shape', value: product });
  }
  const rows = shape.slice(0, index).reduce((a, b) => a * b, 1);
  return { rows, length: shape[index] as number, shape };
}

function temperatureOf(fn: string, temperature: unknown): number {
  if (typeof temperature === 'number' && temperature >= 0) return temperature;
  const details = { fn, argument: 'temperature', value: temperature };
  if (typeof temperature !== 'number')
    throw typeError('ERR_TEMPERATURE', `temperature must be a number, got ${shown(temperature)}`, details);
  throw rangeError('ERR_TEMPERATURE', `temperature ${shown(temperature)} is not at least 0`, details);
}

function scaleOf(fn: string, scale: unknown): number {
  if (typeof scale === 'number' && Number.isFinite(scale)) return scale;
  const message = `scale must be a finite number, got ${shown(scale)}`;
  const details = { fn, argument: 'scale', value: scale };
  throw typeof scale === 'number'
    ? rangeError('ERR_OPTION', message, details)
    : typeError('ERR_OPTION', message, details);
}

/**
 * scale / temperature; ±Infinity for temperature 0 where that `hasLimit`, as for softmax; log-sum-exp, losses and
 * gradients have none. Reads `temperature` and `scale`.
 */
export function multiplierOf(fn: string, options: ScalingOptions, hasLimit: boolean): number {
  const { temperature: givenTemperature = 1, scale: givenScale = 1 } = options;
  if (givenTemperature === 1 && givenScale === 1) return 1;
  const temperature = temperatureOf(fn, givenTemperature);
  const scale = scaleOf(fn, givenScale);
  if (temperature === 0 && !hasLimit) {
    const details = { fn, argument: 'temperature', value: temperature };
    throw rangeError('ERR_TEMPERATURE', 'temperature 0 has no limit here', details);
  }
  if (scale === 0) return 0;
  if (temperature === 0) return scale < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const multiplier = scale / temperature;
  if (hasLimit || Math.abs(multiplier) < largestFloat) return multiplier;
  if (Math.abs(scale) >= largestFloat)
    throw rangeError('ERR_OPTION', `scale ${scale} is beyond float32`, {
      fn,
      argument: 'scale',
      value: scale,
    });
  const message = `temperature ${temperature} is too small for scale ${scale}`;
  throw rangeError('ERR_TEMPERATURE', message, { fn, argument: 'temperature', value: temperature });
}
