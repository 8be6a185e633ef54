// What the figures compute with: the package's functions, on whatever backend serves the page.

import type * as api from '../../src/api/index.js';

export type Library = Pick<
  typeof api,
  'crossEntropy' | 'entropy' | 'logSumExp' | 'sample' | 'softmax' | 'topK'
>;
