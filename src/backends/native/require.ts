import nodeModule from 'node:module';

/**
 * `createRequire`, which webpack may not see by its name: it takes the calls of it for requests of its own, and leaves
 * `undefined` of those it does not understand.
 */
export const { createRequire: requireFrom } = nodeModule;
