// Elements of a block as float64, whatever their dtype.

import { halfFormats } from '../../backends/half.js';
import type { ElementType } from '../npy/dtypes.js';
import type { ElementArray } from './block.js';

export interface Elements {
  readonly load: (index: number) => number;
  readonly store: (index: number, value: number) => void;
}

/** Elements as float64. 16-bit ones are rounded by way of float32: at most 0.5001 units off instead of 0.5. */
export function elementsOf(array: ElementArray, type: ElementType): Elements {
  if (type === 'float16' || type === 'bfloat16') {
    const { toNumber, fromNumber } = halfFormats[type];
    return {
      load: (index) => toNumber(array[index] as number),
      store: (index, value) => {
        array[index] = fromNumber(value);
      },
    };
  }
  return {
    load: (index) => array[index] as number,
    store: (index, value) => {
      array[index] = value;
    },
  };
}
