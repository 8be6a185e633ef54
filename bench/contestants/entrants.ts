// The contestants that are always there.

import type { Entrant } from '../processes.js';

const at = (file: string): URL => new URL(file, import.meta.url);

export const copy: Entrant = { name: 'memcpy', module: at('copy.ts') };
export const loop: Entrant = { name: 'plain loop', module: at('loop.ts') };

/** An entry point with so many threads. */
export const entry = (name: string, argument: string, threads = 1): Entrant => ({
  name,
  module: at('package.ts'),
  argument,
  env: { SOFTMAX_THREADS: `${threads}` },
});

/** The native entry point with one instruction set, on one thread. */
export const native = (name: string, isa: string): Entrant => ({
  ...entry(name, 'softmax-native/native'),
  env: { SOFTMAX_ISA: isa, SOFTMAX_THREADS: '1' },
});
