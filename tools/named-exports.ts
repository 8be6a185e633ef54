// A plugin of the build and of the tests: the entry points' `export const api =` becomes
// `export const { softmax, softmaxAsync, … } =`, by the tables of operations, for bundlers and for CommonJS.

import { shardOperations } from '../src/operations/shards/table.js';
import { operations } from '../src/operations/table.js';

const names = [
  ...operations.flatMap(({ name }) => [name, `${name}Async`]),
  ...shardOperations.flatMap(({ name, options }) =>
    options === undefined ? [name] : [name, `${name}Async`],
  ),
  'SoftmaxStream',
  'backend',
  'getThreads',
  'setThreads',
];

const isEntryPoint = /\/src\/(index|js|native|wasm|wasm-node)\.ts$/;

export const namedExports = {
  name: 'named-exports',
  transform(code: string, id: string) {
    if (!isEntryPoint.test(id)) return null;
    if (!code.includes('export const api =')) throw new Error(`${id} has no export const api`);
    return { code: code.replace('export const api =', `export const { ${names.join(', ')} } =`), map: null };
  },
};
