// What a file is that is no .npy file, by its first bytes.

const compressed = (by: string): string => `it is compressed with ${by}: decompress it first`;
const other = (format: string): string => `it is ${format}: save its arrays with np.save first`;
const pickle = other('a Python pickle');

/** Bytes, where they are, and what a message says. */
const formats: readonly (readonly [string, number, string])[] = [
  ['\x1f\x8b', 0, compressed('gzip')],
  ['BZh', 0, compressed('bzip2')],
  ['\xfd7zXZ\0', 0, compressed('xz')],
  ['\x28\xb5\x2f\xfd', 0, compressed('zstd')],
  ['\x04\x22\x4d\x18', 0, compressed('lz4')],
  // Of Python 3, and of PyTorch before 1.6.
  ['\x80\x02', 0, pickle],
  ['\x80\x03', 0, pickle],
  ['\x80\x04', 0, pickle],
  ['\x80\x05', 0, pickle],
  // After the length of its header in eight bytes, JSON.
  ['\0\0\0\0{', 4, other('a .safetensors file')],
  ['\x89HDF\r\n', 0, other('an HDF5 file')],
  ['GGUF', 0, other('a GGUF file')],
  ['version http', 0, 'it is a Git LFS pointer, not the file itself: git lfs pull brings that'],
];

/** `start`: the first 12 bytes, or as many as there are. */
export function foreignFormat(start: Buffer): string | undefined {
  const text = start.toString('latin1');
  return formats.find(([bytes, at]) => text.startsWith(bytes, at))?.[2];
}
