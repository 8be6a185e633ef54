// The entry point softmax-native/wasm in Node, which has the module in files: see wasm.ts.

import { chooseWasmOrJs } from './backends/wasm/start.js';
import { createApi } from './operations/create.js';
import { moduleOfFile } from './wasm-file.js';

const chosen = chooseWasmOrJs(moduleOfFile, 'imported from softmax-native/wasm');

export const api = createApi(chosen);
export const init = async (): Promise<typeof chosen.backend> => chosen.backend;
