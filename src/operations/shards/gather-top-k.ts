import { ElementMemory } from '../../backends/element-memory.js';
import type { DType } from '../../backends/kernels.js';
import { formatValue, rangeError, typeError } from '../../errors.js';
import { allocate, dtypeOption } from '../../problem/dtypes.js';
import { knownOptions } from '../../problem/option-names.js';
import { optionsOf } from '../../problem/options.js';
import { readIntegers } from '../../problem/outputs.js';
import { type Operand, readOperand, requireOwnShape } from '../../problem/tensors.js';
import { allocateOrThrow } from '../../typed-arrays.js';
import { named } from '../operation.js';
import type { ShardOperation } from './operation.js';
import { readCount, readOffset } from './partial.js';
import { readParts } from './state.js';

const known = knownOptions('gatherTopK', ['classes', 'rows', 'dtype']);

/** What topK gave of a shard. */
interface Part {
  readonly name: string;
  readonly values: Operand;
  readonly indices: Operand<'int32'>;
  readonly offset: number;
}

function readPart(name: string, part: unknown, dtype: DType | undefined): Part {
  if (typeof part !== 'object' || part === null) {
    const message = `${name} must be an object of what topK returned, { values, indices, offset }, got ${formatValue(part)}`;
    throw typeError('ERR_STATE', message, { argument: name, value: part });
  }
  const { values, indices, offset } = part as Record<string, unknown>;
  const first = readOffset(offset, `${name}.offset`);
  const operand = readOperand(`${name}.values`, values, dtype);
  return { name, values: operand, indices: readIntegers(`${name}.indices`, indices), offset: first };
}

/** How many places a row has in a part. */
function placesOf({ name, values, indices }: Part, rows: number): number {
  const count = requireOwnShape(`${name}.values`, values.data, values.tensor);
  const others = requireOwnShape(`${name}.indices`, indices.data, indices.tensor);
  const places = rows === 0 ? 0 : count / rows;
  if (count === others && Number.isInteger(places)) return places;
  const message = `${name} has ${count} values and ${others} indices, of ${rows} rows`;
  throw rangeError('ERR_SHAPE', message, { argument: name, value: count });
}

/** Each value's class, counted from 0 in each row; every one is checked before anything is written. */
function requireClasses({ name, indices, offset }: Part, classes: number): void {
  const { data } = indices;
  for (let i = 0; i < data.length; i++) {
    const index = data[i] as number;
    if (index >= -1 && offset + index < classes) continue;
    const message = `${name}.indices[${i}] = ${index} from ${offset} on is outside [0, ${classes})`;
    throw rangeError('ERR_TARGET_RANGE', message, { argument: `${name}.indices`, index: i, value: index });
  }
}

const twice = (part: number, value: number) =>
  rangeError('ERR_STATE', `parts[${part}] has class ${value}, which another part has, too`, {
    argument: `parts[${part}].indices`,
    value,
  });

export const gatherTopK: ShardOperation = {
  name: 'gatherTopK',
  length: 2,
  options: undefined,
  bind: () => ({
    call: named('gatherTopK', (given, options) => {
      const {
        classes: givenClasses,
        rows: givenRows = 1,
        dtype: givenDType,
      } = optionsOf(options, known.sync);
      const dtype = dtypeOption(givenDType);
      const classes = readCount('classes', givenClasses);
      const rows = readCount('rows', givenRows);
      const parts = readParts(given, 'an array of what topK returned', (name, part) =>
        readPart(name, part, dtype),
      );
      const isDouble = parts.some(({ values }) => values.dtype === 'float64');
      const places = parts.map((part) => placesOf(part, rows));
      for (const part of parts) requireClasses(part, classes);
      const { data } = allocate(isDouble ? 'float64' : 'float32', rows * classes, false);
      for (let i = 0; i < data.length; i++) data[i] = Number.NEGATIVE_INFINITY;
      const isThere = allocateOrThrow(data.length, () => new Uint8Array(data.length));
      for (const [p, { values, indices, offset }] of parts.entries()) {
        const memory = new ElementMemory(values);
        const count = places[p] as number;
        for (let i = 0; i < rows * count; i++) {
          const index = indices.data[i] as number;
          if (index < 0) continue;
          const at = Math.floor(i / count) * classes + offset + index;
          if (isThere[at] === 1) throw twice(p, offset + index);
          isThere[at] = 1;
          data[at] = memory.get(i);
        }
      }
      return data;
    }),
  }),
};
