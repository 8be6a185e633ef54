// The contestants that are always there.

import type { Entrant } from '../processes.js';

const at = (file: string): URL => new URL(file, import.meta.url);

export const copy: Entrant = { name: 'memcpy', module: at('copy.ts') };
export const loop: Entrant = { name: 'plain loop', module: at('loop.ts') };

export const entry = (name: string, argument: string): Entrant => ({
  name,
  module: at('package.ts'),
  argument,
});

/** The native entry point with one instruction set. */
export const native = (name: string, isa: string): Entrant => ({
  ...entry(name, 'softmax-native/native'),
  env: { SOFTMAX_ISA: isa },
});
