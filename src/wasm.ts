// The entry point softmax-native/wasm where there are no files, as in browsers: WebAssembly, or JavaScript with the reason.
// Never touches native code, reads no environment. See index.ts.

import { chooseText } from './backends/wasm/text.js';
import { createApi } from './operations/create.js';

const chosen = chooseText();

export const api = createApi(chosen);
/** See api/wasm.ts. */
export const { init } = chosen;
