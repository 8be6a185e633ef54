// Who takes part, by the names that the tables show.

import { copy, entry, loop, native } from '../contestants/entrants.js';
import { machine } from '../machine.js';
import type { Entrant } from '../processes.js';
import type { Runner } from '../race.js';
import { keepsMemory } from './memory.js';
import { pytorch } from './pytorch.js';

/** softmax-native on one thread. */
export const own = 'softmax-native';
export const avx2 = 'AVX2 forced';
export const javascript = 'JavaScript backend';
export const memcpy = copy.name;
export const plainLoop = loop.name;
export const onnxRuntime = 'onnxruntime-node';
export const tensorflow = 'tfjs-backend-wasm';
export const transformers = 'transformers.js';
export const torch = 'PyTorch';

/** With memory kept (memory.ts) and, in PyTorch, a preallocated result. */
export const tuned = (name: string): string => `${name} tuned`;
/** Of a contestant that may use all threads. */
export const onAllThreads = (name: string): string => `${name}, all threads`;

/** A package of this folder. */
const peer = (name: string, file: string, argument = '', env: Entrant['env'] = {}): Entrant => ({
  name,
  module: new URL(file, import.meta.url),
  argument,
  env,
});

/** Those with threads come last: theirs may still wait for work a while after it is done. */
export const entrants: readonly Entrant[] = [
  copy,
  entry(own, 'softmax-native'),
  native(avx2, 'avx2'),
  entry(javascript, 'softmax-native/js'),
  loop,
  peer(onnxRuntime, 'onnxruntime.ts', '1'),
  peer(tuned(onnxRuntime), 'onnxruntime.ts', '1', keepsMemory),
  peer(tensorflow, 'tfjs.ts'),
  peer(transformers, 'transformers.ts'),
  ...(machine.threads > 1
    ? [
        entry(onAllThreads(own), 'softmax-native', machine.threads),
        peer(onAllThreads(tuned(onnxRuntime)), 'onnxruntime.ts', `${machine.threads}`, keepsMemory),
      ]
    : []),
];

/** PyTorch with one thread and with all. */
export async function pytorchRunners(): Promise<readonly Runner[]> {
  const starts = [pytorch(torch, 1, 'call', {}), pytorch(tuned(torch), 1, 'out', keepsMemory)];
  if (machine.threads > 1)
    starts.push(pytorch(onAllThreads(tuned(torch)), machine.threads, 'out', keepsMemory));
  return (await Promise.all(starts)).filter((runner) => runner !== undefined);
}
