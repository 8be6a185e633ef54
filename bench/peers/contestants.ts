// Who takes part, by the names that the tables show.

import { copy, entry, loop, native } from '../contestants/entrants.js';
import { machine } from '../machine.js';
import type { Entrant } from '../processes.js';
import type { Runner } from '../race.js';
import { keepsMemory } from './memory.js';
import { pytorch } from './pytorch.js';

/** softmax-native as it comes. */
export const own = 'softmax-native';
export const avx2 = 'AVX2 forced';
export const javascript = 'JavaScript backend';
export const memcpy = copy.name;
export const plainLoop = loop.name;
export const onnxRuntime = 'onnxruntime-node';
export const torch = 'PyTorch';
export const torchOut = 'PyTorch out=';

/** Of a contestant that may use all threads. */
export const onAllThreads = (name: string): string => `${name}, ${machine.threads} threads`;

/** A package of this folder. */
const peer = (name: string, file: string, argument = ''): Entrant => ({
  name,
  module: new URL(file, import.meta.url),
  argument,
  env: keepsMemory,
});
const onnxRuntimeOf = (name: string, threads: number): Entrant => peer(name, 'onnxruntime.ts', `${threads}`);

/** What the targets compare. */
export const targetEntrants: readonly Entrant[] = [
  copy,
  entry(own, 'softmax-native'),
  native(avx2, 'avx2'),
  entry(javascript, 'softmax-native/js'),
  loop,
  onnxRuntimeOf(onnxRuntime, 1),
];

/** Those with threads come last: theirs may still wait for work a while after it is done. */
export const allEntrants: readonly Entrant[] = [
  ...targetEntrants,
  peer('tfjs-backend-wasm', 'tfjs.ts'),
  peer('transformers.js', 'transformers.ts'),
  ...(machine.threads > 1 ? [onnxRuntimeOf(onAllThreads(onnxRuntime), machine.threads)] : []),
];

/** PyTorch with one thread and, unless `isSingle`, with all. */
export async function pytorchRunners(isSingle: boolean): Promise<readonly Runner[]> {
  const starts = [pytorch(torch, 1, 'call'), pytorch(torchOut, 1, 'out')];
  if (!isSingle && machine.threads > 1)
    starts.push(
      pytorch(onAllThreads(torch), machine.threads, 'call'),
      pytorch(onAllThreads(torchOut), machine.threads, 'out'),
    );
  return (await Promise.all(starts)).filter((runner) => runner !== undefined);
}
