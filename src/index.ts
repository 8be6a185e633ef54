// The entry point: the fastest backend there is. The build and the tests make `export const { softmax, softmaxAsync, … } =`
// of the last line, by the table of operations (tools/named-exports.ts). The published types are those of api/index.ts.

import { chooseBackend } from './backends/choose.js';
import { process } from './node-modules.js';
import { createApi } from './operations/create.js';

export const api = createApi(chooseBackend(process.env));
