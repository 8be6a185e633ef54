import type { SoftmaxApi } from 'softmax-native';

export const lengths: readonly number[];
export const longest: number;
export function corpusRows(lengths: readonly number[]): Generator<{ row: Float32Array; bits: () => number }>;
export function corpusHashes(api: SoftmaxApi, withLongest?: boolean): Record<string, string>;
