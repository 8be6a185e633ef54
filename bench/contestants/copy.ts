// memcpy of the input's bytes: what no contestant can be faster than where memory is the limit.

import type { Call, Open } from '../implementation.js';

export const open: Open = () => ({
  version: '',
  prepare: ({ input, out }): Call => ({ run: () => out.set(input.data), result: () => undefined }),
});
