// Single elements of an array, whatever its dtype.

import { bitsOf } from '../typed-arrays.js';
import { type HalfFormat, halfFormats } from './half.js';
import type { Elements } from './kernels.js';

/** The memory of elements, and how 16-bit ones are coded there. */
export class ElementMemory {
  readonly data: Elements['data'];
  readonly format: HalfFormat | undefined;

  constructor({ data, dtype }: Elements) {
    if (dtype === 'float16' || dtype === 'bfloat16') {
      this.format = halfFormats[dtype];
      this.data = bitsOf(data);
    } else {
      this.data = data;
    }
  }

  get(index: number): number {
    const value = this.data[index] as number;
    return this.format ? this.format.toNumber(value) : value;
  }

  set(index: number, value: number): void {
    this.data[index] = this.format ? this.format.fromNumber(value) : value;
  }
}
