// The entry point softmax-native/native: native code, or an error that says why it can't be had. See index.ts.

import { chooseNative } from './backends/choose.js';
import { process } from './node-modules.js';
import { createApi } from './operations/create.js';

export const api = createApi(chooseNative(process.env));
