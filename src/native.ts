// The entry point softmax-native/native: native code, or an error that says why it can't be had. See index.ts.

import process from 'node:process';
import { chooseNative } from './backends/choose.js';
import { createApi } from './operations/create.js';

export const api = createApi(chooseNative(process.env));
