// The library that serves the figures: JavaScript while the page is made and until WebAssembly is there, which has the same
// bits. So numbers are in the page before any script runs, and none changes when it does.

import * as js from 'softmax-native/js';
import { onMounted, readonly, ref, shallowRef } from 'vue';
import type { Library } from '../figures/library.js';

export const library = shallowRef<Library>(js);

interface Served {
  readonly kind: string;
  readonly isa: string | null;
  readonly reason: string;
}
const now = ref<Served>({ kind: 'js', isa: null, reason: 'WebAssembly is being loaded' });
export const served = readonly(now);

let isLoading = false;

async function load(): Promise<void> {
  if (isLoading) return;
  isLoading = true;
  try {
    const wasm = await import('softmax-native/wasm');
    const { kind, isa, reason } = await wasm.init();
    library.value = wasm;
    now.value = { kind, isa, reason };
  } catch (error) {
    now.value = { kind: 'js', isa: null, reason: `WebAssembly could not be loaded: ${error}` };
  }
}

/** In a component's setup: has WebAssembly loaded when the page is there. */
export const useWasm = (): void => onMounted(load);
