// Headers of .npy files: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
//
// What NumPy writes for little-endian arrays in row-major order. Packages on npm want the whole file in memory.

import { readFully } from './files.mjs';
import { Mistake } from './mistake.mjs';

/** By their names in a header: what the library calls them, and arrays of them. 16-bit floats are passed as their bits. */
export const dtypes = {
  '<f2': { name: 'float16', size: 2, Elements: Uint16Array },
  '<f4': { name: 'float32', size: 4, Elements: Float32Array },
  '<f8': { name: 'float64', size: 8, Elements: Float64Array },
  '|i1': { name: 'int8', size: 1, Elements: Int8Array },
  '|u1': { name: 'uint8', size: 1, Elements: Uint8Array },
  '<i2': { name: 'int16', size: 2, Elements: Int16Array },
  '<u2': { name: 'uint16', size: 2, Elements: Uint16Array },
  '<i4': { name: 'int32', size: 4, Elements: Int32Array },
  '<u4': { name: 'uint32', size: 4, Elements: Uint32Array },
  '<i8': { name: 'int64', size: 8, Elements: BigInt64Array },
  '<u8': { name: 'uint64', size: 8, Elements: BigUint64Array },
};
export const isFloat = ({ name }) => name.startsWith('float');

const pattern =
  /^\{'descr': '([<|]\w\d)', 'fortran_order': (True|False), 'shape': \((\d+(?:, \d+)*)?,?\), \} *\n$/;

/** Of an open file: `dtype`, `shape`, and `offset`, where its data begins. All of the data has to be there. */
export async function readHeader(handle) {
  const { size } = await handle.stat();
  const start = Buffer.alloc(12);
  if (size >= start.length) await readFully(handle, start, 0);
  if (start.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Mistake('it is not a .npy file');
  const begin = start[6] === 1 ? 10 : 12;
  const length = start[6] === 1 ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (begin + length > size || length > 65536) throw new Mistake('its header is cut short, or too long');
  const text = Buffer.alloc(length);
  await readFully(handle, text, begin);
  const [, descr, order, sizes = ''] = pattern.exec(text.toString('latin1')) ?? [];
  const dtype = dtypes[descr];
  if (dtype === undefined || order === 'True') {
    throw new Mistake('it is no little-endian array of numbers in row-major order: save it as one');
  }
  const shape = sizes.split(', ').filter(Boolean).map(Number);
  const offset = begin + length;
  const expected = offset + shape.reduce((product, length) => product * length, 1) * dtype.size;
  if (size !== expected) throw new Mistake(`it has ${size} bytes, but its header says ${expected}`);
  return { dtype, shape, offset };
}

/** As NumPy writes it. `descr`: of np.dtype, as Python prints it. */
export function headerOf(descr, shape) {
  const tuple = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const text = `{'descr': ${descr}, 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write('\x93NUMPY\x01\0', 0, 'latin1');
  header.writeUInt16LE(length, 8);
  header.write(text, 10, 'latin1');
  header[header.length - 1] = 10;
  return header;
}
