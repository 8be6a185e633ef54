// The entry point: the fastest backend there is. Exports by name what the table has, documented in api/index.ts: the
// build makes `export const { softmax, softmaxAsync, … } =` of the last line (tools/named-exports.ts).

import { chooseBackend } from './backends/choose.js';
import { createApi } from './operations/create.js';

export const api = createApi(chooseBackend(process.env));
