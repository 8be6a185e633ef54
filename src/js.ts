// The entry point softmax-native/js: JavaScript. Never touches native code, reads no environment. See index.ts.

import { chooseJs } from './backends/chosen.js';
import { createApi } from './operations/create.js';

export const api = createApi(chooseJs('imported from softmax-native/js'));
