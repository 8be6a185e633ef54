// The options of sample that change logits: penalties, bias, and the bitmask of what is allowed.

import { ElementMemory } from '../../backends/element-memory.js';
import type { DType, Elements } from '../../backends/kernels.js';
import type { Adjustments, Penalties, SparseBias } from '../../backends/sampling.js';
import { formatValue, isArray, rangeError, typeError } from '../../errors.js';
import { allocateOrThrow, kindOf, partOf } from '../../typed-arrays.js';
import { copyOf } from '../dtypes.js';
import { classCountHint } from '../hints.js';
import type { Held } from '../layout-memory.js';
import { copyNumbers, isNumbers, type LargestOf, type Numbers, readNumbers } from '../number-options.js';
import type { RowProblem } from '../rows.js';
import { type Operand, readOperand, readTensor, requireOwnShape, type TensorFields } from '../tensors.js';
import {
  classIndicesOf,
  countOf,
  equalOffsets,
  type GivenIntegers,
  offsetsOf,
  readIntegers,
} from './integers.js';
import { readSetting, type Setting, settingOf } from './settings.js';

type Fields = Readonly<Record<string, unknown>>;

/** The fields of an option that is an object, of which there may be no others. */
function fieldsOf(argument: string, value: unknown, names: readonly string[], wanted: string): Fields {
  if (typeof value !== 'object' || value === null || isArray(value) || ArrayBuffer.isView(value))
    throw typeError('ERR_OPTION', `${argument} must be ${wanted}, got ${formatValue(value)}`, {
      argument,
      value,
    });
  for (const name in value)
    if (Object.hasOwn(value, name) && !names.includes(name)) {
      const message = `${argument} has no field ${JSON.stringify(name.slice(0, 40))}: its fields are ${names.join(', ')}`;
      throw typeError('ERR_OPTION', message, { argument });
    }
  return value as Fields;
}

/** Undefined: an option that was not given. */
export interface GivenAdjustments {
  readonly allowed: { readonly data: unknown; readonly tensor: TensorFields | undefined } | undefined;
  readonly bias: Operand | Float64Array | undefined;
  readonly sparseBias: GivenSparseBias | undefined;
  readonly penalties: GivenPenalties | undefined;
}

interface GivenSparseBias {
  readonly indices: GivenIntegers;
  readonly values: Numbers;
  readonly offsets: GivenIntegers | undefined;
}

interface GivenPenalties {
  readonly tokens: GivenIntegers;
  readonly offsets: GivenIntegers | undefined;
  readonly settings: readonly [repetition: Setting, frequency: Setting, presence: Setting];
}

export function readAdjustments(
  allowed: unknown,
  bias: unknown,
  penalties: unknown,
  dtype: DType | undefined,
): GivenAdjustments {
  const isSparse = isNumbers(bias) && !isArray(bias) && 'indices' in (bias as object);
  return {
    allowed: allowed === undefined ? undefined : readAllowed(allowed),
    bias: bias === undefined || isSparse ? undefined : readBias(bias, dtype),
    sparseBias: isSparse ? readSparseBias(bias, dtype) : undefined,
    penalties: penalties === undefined ? undefined : readPenalties(penalties, dtype),
  };
}

function readAllowed(allowed: unknown): GivenAdjustments['allowed'] {
  const tensor = kindOf(allowed) === undefined ? readTensor('allowed', allowed, true) : undefined;
  const data = tensor ? tensor.data : allowed;
  const kind = kindOf(data);
  if (kind === 'Int32Array' || kind === 'Uint32Array') return { data, tensor };
  const message = `allowed must be an Int32Array or a Uint32Array of 32 classes a word, got ${formatValue(data)}`;
  throw typeError('ERR_OPTION', message, { argument: 'allowed', value: data });
}

function readBias(bias: unknown, dtype: DType | undefined): Operand | Float64Array {
  if (isArray(bias)) return copyNumbers('bias', bias, 'ERR_OPTION');
  if (isNumbers(bias)) return readOperand('bias', bias, dtype, true);
  const message = `bias must be numbers, one per class, or { indices, values }, got ${formatValue(bias)}`;
  throw typeError('ERR_OPTION', message, { argument: 'bias', value: bias });
}

function readSparseBias(bias: unknown, dtype: DType | undefined): GivenSparseBias {
  const { indices, values, offsets } = fieldsOf('bias', bias, ['indices', 'values', 'offsets'], 'an object');
  return {
    indices: readIntegers('bias.indices', indices),
    values: readNumbers('bias.values', values, 'ERR_OPTION', dtype),
    offsets: offsets === undefined ? undefined : readIntegers('bias.offsets', offsets),
  };
}

const penaltyFields = ['tokens', 'offsets', 'repetition', 'frequency', 'presence'];

function readPenalties(penalties: unknown, dtype: DType | undefined): GivenPenalties {
  const wanted = 'an object with tokens';
  const fields = fieldsOf('penalties', penalties, penaltyFields, wanted);
  const { tokens, offsets, repetition = 1, frequency = 0, presence = 0 } = fields;
  return {
    tokens: readIntegers('penalties.tokens', tokens),
    offsets: offsets === undefined ? undefined : readIntegers('penalties.offsets', offsets),
    settings: [
      readSetting('penalties.repetition', repetition, dtype),
      readSetting('penalties.frequency', frequency, dtype),
      readSetting('penalties.presence', presence, dtype),
    ],
  };
}

/** What outputs must not overlap. */
export function heldByAdjustments(given: GivenAdjustments): (readonly [string, Held | undefined])[] {
  const { allowed, bias, sparseBias, penalties } = given;
  if ((allowed ?? bias ?? sparseBias ?? penalties) === undefined) return [];
  const ofSettings = (penalties?.settings ?? []).map(
    ({ name, value }) => [name, typeof value === 'number' ? undefined : value.held] as const,
  );
  return [
    ['allowed', allowed],
    ['bias', bias instanceof Float64Array ? undefined : bias],
    ['bias.indices', sparseBias?.indices.held],
    ['bias.values', sparseBias?.values.held],
    ['bias.offsets', sparseBias?.offsets?.held],
    ['penalties.tokens', penalties?.tokens.held],
    ['penalties.offsets', penalties?.offsets?.held],
    ...ofSettings,
  ];
}

/** Checked against the rows. `isPrivate`: nothing stays that the caller could change. */
export const adjustmentsOf = (
  given: GivenAdjustments,
  rows: RowProblem,
  isPrivate: boolean,
  largestOf: LargestOf | undefined,
): Adjustments => ({
  allowed: given.allowed && allowedOf(given.allowed, rows, isPrivate),
  bias: given.bias && biasOf(given.bias, rows, isPrivate, largestOf),
  sparseBias: given.sparseBias && sparseBiasOf(given.sparseBias, rows),
  penalties: given.penalties && penaltiesOf(given.penalties, rows),
});

function allowedOf(
  { data, tensor }: NonNullable<GivenAdjustments['allowed']>,
  { length, rowCount }: RowProblem,
  isPrivate: boolean,
): Adjustments['allowed'] {
  const words = requireOwnShape('allowed', data, tensor);
  const each = Math.ceil(length / 32);
  if (words !== each && words !== each * rowCount) {
    const message = `allowed has ${words} elements, but ${length} classes have ${each}, of one row or of each of ${rowCount}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'allowed', value: words });
  }
  const bits = data as Int32Array;
  const copied = isPrivate ? allocateOrThrow(words, () => new Int32Array(bits)) : bits;
  return { words: copied, step: words === each ? 0 : each };
}

/** −Infinity bans a class. */
const isBias = (value: number): boolean => value < Number.POSITIVE_INFINITY;

function requireBiases(argument: string, count: number, get: (index: number) => number): void {
  for (let index = 0; index < count; index++) {
    const value = get(index);
    if (isBias(value)) continue;
    const message = `${argument}[${index}] = ${value} is neither finite nor -Infinity`;
    throw rangeError('ERR_OPTION', message, { argument, index, value });
  }
}

function biasOf(
  bias: Operand | Float64Array,
  rows: RowProblem,
  isPrivate: boolean,
  largestOf: LargestOf | undefined,
): Elements {
  const isOwn = bias instanceof Float64Array;
  const operand: Operand = isOwn ? { data: bias, dtype: 'float64', tensor: undefined } : bias;
  const count = requireOwnShape('bias', operand.data, operand.tensor);
  if (count !== rows.length) {
    const message = `bias has ${count} elements, but there are ${rows.length} classes${classCountHint(rows, count)}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'bias', value: count });
  }
  const elements: Elements = isPrivate && !isOwn ? copyOf(operand) : operand;
  const { data, dtype } = elements;
  if (
    largestOf &&
    count > 0 &&
    dtype === 'float32' &&
    isBias(largestOf(partOf(data as Float32Array, 0, count), 1))
  )
    return elements;
  const memory = new ElementMemory(elements);
  requireBiases('bias', count, (index) => memory.get(index));
  return elements;
}

function sparseBiasOf({ indices, values, offsets }: GivenSparseBias, rows: RowProblem): SparseBias {
  const count = countOf(indices);
  const { values: addends } = values;
  if (addends.length !== count) {
    const message = `bias.values has ${addends.length} elements, but bias.indices has ${count}`;
    throw rangeError('ERR_SHAPE', message, { argument: 'bias.values', value: addends.length });
  }
  requireBiases('bias.values', count, (index) => addends[index] as number);
  return {
    indices: classIndicesOf(indices, rows.length),
    values: addends,
    offsets: offsets && offsetsOf(offsets, rows.rowCount, count),
  };
}

/** Each row's tokens in order, each once, with how often they were there. */
function penaltiesOf({ tokens, offsets, settings }: GivenPenalties, rows: RowProblem): Penalties {
  const { rowCount, length } = rows;
  const all = classIndicesOf(tokens, length);
  const begins = offsets
    ? offsetsOf(offsets, rowCount, all.length)
    : equalOffsets('penalties.tokens', rowCount, all.length);
  const counts = allocateOrThrow(all.length, () => new Int32Array(all.length));
  const ends = allocateOrThrow(rowCount + 1, () => new Float64Array(rowCount + 1));
  let distinct = 0;
  for (let row = 0; row < rowCount; row++) {
    // What is written is never beyond what is read.
    const own = all.slice(begins[row], begins[row + 1]).sort();
    for (let i = 0; i < own.length; i++) {
      if (i === 0 || own[i] !== own[i - 1]) all[distinct++] = own[i] as number;
      counts[distinct - 1] = (counts[distinct - 1] as number) + 1;
    }
    ends[row + 1] = distinct;
  }
  const [repetition, frequency, presence] = settings.map((setting) => settingOf(setting, rowCount));
  return {
    tokens: all,
    counts,
    offsets: ends,
    repetition: repetition as Penalties['repetition'],
    frequency: frequency as Penalties['frequency'],
    presence: presence as Penalties['presence'],
  };
}
