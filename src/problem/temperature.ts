// temperature and scale, and the multiplier of the logits: scale / temperature.

import { largestFloat } from '../backends/js/scaling.js';
import type { DType, Multipliers } from '../backends/kernels.js';
import { formatValue, rangeError, type SoftmaxErrorDetails, typeError } from '../errors.js';
import { allocateOrThrow } from '../typed-arrays.js';
import { isNumbers, type Numbers, oneOrPerRow, readNumbers } from './number-options.js';

export type Temperature = number | Numbers;

/** The option `temperature`: a number or one per row. Its values are checked by multiplierOf. */
export function readTemperature(temperature: unknown, hint: DType | undefined): Temperature {
  if (typeof temperature === 'number') return temperature;
  if (isNumbers(temperature)) return readNumbers('temperature', temperature, 'ERR_TEMPERATURE', hint);
  throw typeError('ERR_TEMPERATURE', `temperature must be a number, got ${formatValue(temperature)}`, {
    argument: 'temperature',
    value: temperature,
  });
}

export function requireScale(scale: unknown): asserts scale is number {
  if (typeof scale === 'number' && Number.isFinite(scale)) return;
  const message = `scale must be a finite number, got ${formatValue(scale)}`;
  const details = { argument: 'scale', value: scale };
  throw typeof scale === 'number'
    ? rangeError('ERR_OPTION', message, details)
    : typeError('ERR_OPTION', message, details);
}

/** What a multiplier is made for. */
export interface MultiplierUse {
  readonly dtype: DType;
  /** Temperature 0 has a limit, as for softmax; log-sum-exp, losses and gradients have none. */
  readonly hasLimit: boolean;
}

/** scale / temperature; ±Infinity for temperature 0. */
export function multiplierOf(
  use: MultiplierUse,
  temperature: Temperature,
  scale: number,
  rows: number,
): Multipliers {
  if (typeof temperature === 'number') {
    return temperature === 1 && scale === 1 ? 1 : checkedMultiplier(use, temperature, scale, undefined);
  }
  const temperatures = oneOrPerRow('temperature', temperature, rows);
  if (typeof temperatures === 'number') return checkedMultiplier(use, temperatures, scale, 0);
  const multipliers = allocateOrThrow(rows, () => new Float64Array(rows));
  for (let row = 0; row < rows; row++)
    multipliers[row] = checkedMultiplier(use, temperatures[row] as number, scale, row);
  return multipliers;
}

/** `row`: undefined where the temperature is one number. */
function checkedMultiplier(
  { dtype, hasLimit }: MultiplierUse,
  temperature: number,
  scale: number,
  row: number | undefined,
): number {
  const fail = (problem: string) => temperatureError(temperature, row, problem);
  if (!(temperature >= 0)) throw fail('is not at least 0');
  if (temperature === 0 && !hasLimit) throw fail('has no limit here');
  if (scale === 0) return 0;
  if (temperature === 0) return scale < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const multiplier = scale / temperature;
  if (hasLimit) return multiplier;
  if (dtype === 'float64') {
    if (Number.isFinite(multiplier)) return multiplier;
  } else {
    if (Math.abs(multiplier) < largestFloat) return multiplier;
    if (Math.abs(scale) >= largestFloat)
      throw rangeError('ERR_OPTION', `scale ${scale} is beyond float32`, {
        argument: 'scale',
        value: scale,
      });
  }
  throw fail(`is too small for scale ${scale}`);
}

/** `row`: undefined where the temperature is one number. */
export function temperatureError(temperature: number, row: number | undefined, problem: string): RangeError {
  const details: SoftmaxErrorDetails = { argument: 'temperature', value: temperature };
  const isOne = row === undefined;
  const name = isOne ? 'temperature' : `temperature[${row}] =`;
  const place = isOne ? details : { ...details, row, index: row };
  return rangeError('ERR_TEMPERATURE', `${name} ${formatValue(temperature)} ${problem}`, place);
}

/** τ² of one or of every row, which must be finite: what a distillation loss is multiplied by. */
export function squaredTemperatures(temperature: Temperature, rows: number): number | Float64Array {
  const square = (value: number, row: number | undefined): number => {
    if (value * value < Number.POSITIVE_INFINITY) return value * value;
    throw temperatureError(value, row, 'has a square that is not finite');
  };
  if (typeof temperature === 'number') return square(temperature, undefined);
  const temperatures = oneOrPerRow('temperature', temperature, rows);
  return typeof temperatures === 'number' ? square(temperatures, 0) : temperatures.map(square);
}
