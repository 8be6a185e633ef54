// The numbers of sample: one for all rows, or one a row.

import type { DType } from '../../backends/kernels.js';
import type { PerRow } from '../../backends/sampling.js';
import { formatValue, rangeError, type SoftmaxErrorCode, typeError } from '../../errors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { isNumbers, type Numbers, oneOrPerRow, readNumbers } from '../number-options.js';

/** What a number must be. */
interface Rule {
  readonly code: SoftmaxErrorCode;
  readonly isInteger?: boolean;
  readonly isValid: (value: number) => boolean;
  /** What is said of any other. */
  readonly problem: string;
}

const fraction = { code: 'ERR_OPTION', problem: 'is outside (0, 1]' } as const;
const isFraction = (value: number): boolean => value > 0 && value <= 1;
const isNotNegative = (value: number): boolean => value >= 0;
const anyFinite = { code: 'ERR_OPTION', isValid: Number.isFinite, problem: 'is not finite' } as const;

const rules = {
  temperature: { code: 'ERR_TEMPERATURE', isValid: isNotNegative, problem: 'is not at least 0' },
  topK: { code: 'ERR_K', isInteger: true, isValid: isNotNegative, problem: 'is negative; 0 turns it off' },
  topP: { ...fraction, isValid: isFraction },
  minP: {
    code: 'ERR_OPTION',
    isValid: (value: number) => value >= 0 && value <= 1,
    problem: 'is outside [0, 1]',
  },
  typicalP: { ...fraction, isValid: isFraction },
  topNSigma: { code: 'ERR_OPTION', isValid: isNotNegative, problem: 'is not at least 0' },
  minKeep: {
    code: 'ERR_OPTION',
    isInteger: true,
    isValid: (value: number) => value >= 1,
    problem: 'is not at least 1',
  },
  'penalties.repetition': {
    code: 'ERR_OPTION',
    isValid: (value: number) => value > 0 && value < Number.POSITIVE_INFINITY,
    problem: 'is not a finite number above 0',
  },
  'penalties.frequency': anyFinite,
  'penalties.presence': anyFinite,
} as const satisfies Readonly<Record<string, Rule>>;
export type SettingName = keyof typeof rules;

/** A setting as it was given. */
export interface Setting {
  readonly name: SettingName;
  readonly value: number | Numbers;
}

export function readSetting(name: SettingName, value: unknown, hint: DType | undefined): Setting {
  const { code } = rules[name];
  if (typeof value === 'number') return { name, value };
  if (isNumbers(value)) return { name, value: readNumbers(name, value, code, hint) };
  const message = `${name} must be a number or one per row, got ${formatValue(value)}`;
  throw typeError(code, message, { argument: name, value });
}

/** `row`: undefined where it is one number. */
function require(name: SettingName, value: number, row: number | undefined): void {
  const { code, isInteger, isValid, problem }: Rule = rules[name];
  const isWrongKind = isInteger === true && !Number.isInteger(value);
  if (isValid(value) && !isWrongKind) return;
  const place = row === undefined ? {} : { row, index: row };
  const shown = row === undefined ? name : `${name}[${row}] =`;
  const message = `${shown} ${formatValue(value)} ${isWrongKind ? 'is not an integer' : problem}`;
  throw (isWrongKind ? typeError : rangeError)(code, message, { argument: name, value, ...place });
}

/** Checked. */
export function settingOf({ name, value }: Setting, rows: number): PerRow {
  const values = typeof value === 'number' ? value : oneOrPerRow(name, value, rows);
  if (typeof values === 'number') {
    require(name, values, typeof value === 'number' ? undefined : 0);
    return values;
  }
  for (let row = 0; row < rows; row++) require(name, values[row] as number, row);
  return values;
}

/** 1 / temperature; Infinity for 0. */
export const inverseTemperature = (value: number): number =>
  value === 0 ? Number.POSITIVE_INFINITY : 1 / value;

export function inverseTemperatures(temperature: PerRow): PerRow {
  if (typeof temperature === 'number') return inverseTemperature(temperature);
  const inverses = allocateOrThrow(temperature.length, () => new Float64Array(temperature.length));
  for (let row = 0; row < inverses.length; row++)
    inverses[row] = inverseTemperature(temperature[row] as number);
  return inverses;
}

/** An option that is one integer: at least `least`. */
export function readInteger(name: 'count' | 'top', value: unknown, least: number): number {
  const code = name === 'top' ? 'ERR_K' : 'ERR_OPTION';
  if (!Number.isSafeInteger(value)) {
    const message = `${name} must be an integer, got ${formatValue(value)}`;
    throw typeError(code, message, { argument: name, value });
  }
  if ((value as number) >= least) return value as number;
  throw rangeError(code, `${name} ${value} is not at least ${least}`, { argument: name, value });
}
