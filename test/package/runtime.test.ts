// Asynchronous calls where globals of the host are missing, or are not what they should be: every function, in the built
// package, in a process of its own.

import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { replace, root, run } from '../helpers/processes.js';
import { signatures } from '../helpers/signatures.js';

/** All that is no part of the language: `console`, `process` and `setImmediate` too. */
const remove = `
  const language = new Set(vm.runInNewContext('Object.getOwnPropertyNames(globalThis)'));
  for (const name of Object.getOwnPropertyNames(globalThis))
    if (!language.has(name)) Reflect.deleteProperty(globalThis, name);
`;
const setUp = `
  import assert from 'node:assert';
  import { writeSync } from 'node:fs';
  import vm from 'node:vm';
  import { argumentsOf, isLoss, signatures } from '${pathToFileURL(`${root}build/signatures.mjs`)}';
  const { AbortController } = globalThis;
`;
/** \`call(signature, transfer)\`: what a large call gives, and its inputs. */
const calls = `
  const sizeOf = ({ result }) => (result === 'square' ? [24, 60] : [80, 1000]);
  const make = (signature) => {
    const [rows, length] = sizeOf(signature);
    const inputs = signature.inputs.map((_, input) =>
      Float32Array.from({ length: rows * length }, (_, i) => (((i * 7919 + input) % 4001) - 2000) / 400));
    const classes = Int32Array.from({ length: rows }, (_, i) => i % length);
    const options = { shape: [rows, length], ...(isLoss(signature) && { grad: true }) };
    return { inputs, classes, options };
  };
  const call = (name, signature, { inputs, classes, options }, more = {}) =>
    api[name](...argumentsOf(signature, inputs, classes, { ...options, ...more }));
  const outcome = (promise) => promise.then(
    () => 'resolved',
    ({ name, code, fn, argument, message }) => ({ name, code, fn, argument, message }),
  );
`;
const load = (file: string) => `const api = await import('${pathToFileURL(`${root}dist/${file}`)}');`;

/** Which functions gave the bits of the synchronous one, copying and transferring, and rejected when aborted. */
const sweep = `
  const good = [];
  for (const signature of signatures) {
    const name = signature.name + 'Async';
    const expected = call(signature.name, signature, make(signature));
    const copied = make(signature);
    assert.deepStrictEqual(await call(name, signature, copied), expected);
    assert.deepStrictEqual(copied.inputs, make(signature).inputs);
    const given = make(signature);
    const promise = call(name, signature, given, { transfer: true });
    for (const { buffer } of given.inputs) assert.equal(buffer.byteLength, 0);
    assert.deepStrictEqual(await promise, expected);
    const controller = new AbortController();
    const aborted = outcome(call(name, signature, make(signature), { signal: controller.signal }));
    controller.abort({ name: 'reason' });
    assert.equal((await aborted).name, 'reason');
    good.push(signature.name);
  }
  writeSync(1, JSON.stringify(good));
`;
const names = signatures.map(({ name }) => name);

describe.each(['native.mjs', 'native.cjs', 'js.mjs', 'js.cjs'])('%s', (file) => {
  test('globals are missing before it loads', () => {
    expect(run(setUp + remove + load(file) + calls + sweep)).toEqual(names);
  });

  test('globals are taken away later', () => {
    expect(run(setUp + load(file) + remove + calls + sweep)).toEqual(names);
  });

  test('a structuredClone that copies in place of transferring', () => {
    const replaced = 'globalThis.structuredClone = (value) => JSON.parse(JSON.stringify(value));';
    expect(run(setUp + replaced + load(file) + calls + sweep)).toEqual(names);
  });

  test('without structuredClone, a buffer that can’t be transferred is named, and none is given up', () => {
    const code = `
      const found = [];
      for (const signature of signatures) {
        const { inputs, ...rest } = make(signature);
        const input = inputs.length - 1;
        inputs[input] = new Float32Array(memory.buffer, 0, inputs[input].length);
        const promise = call(signature.name + 'Async', signature, { inputs, ...rest }, { transfer: true });
        found.push(await outcome(promise));
        for (const { buffer } of inputs) assert.notEqual(buffer.byteLength, 0);
      }
      writeSync(1, JSON.stringify(found));
    `;
    const memory = 'const memory = new WebAssembly.Memory({ initial: 8 });';
    const expected = signatures.map(({ name, inputs }) => ({
      name: 'TypeError',
      code: 'ERR_OPTION',
      fn: name,
      argument: inputs.at(-1),
      message: `${name}: the buffer of ${inputs.at(-1)} can't be transferred`,
    }));
    expect(run(setUp + memory + remove + load(file) + calls + code)).toEqual(expected);
  });
});

describe.each(['native.mjs', 'js.mjs'])(
  '%s: what a runtime lacks is named, and no buffer is given up',
  (file) => {
    const code = `
    const found = [];
    for (const signature of signatures) {
      const given = make(signature);
      found.push(await outcome(call(signature.name + 'Async', signature, given, { transfer: true })));
      assert.deepStrictEqual(given.inputs, make(signature).inputs);
      call(signature.name, signature, given);
    }
    writeSync(1, JSON.stringify(found));
  `;
    const expected = (message: string, argument?: string) =>
      names.map((name) => ({
        name: 'TypeError',
        code: 'ERR_RUNTIME',
        fn: name,
        ...(argument && { argument }),
        message: `${name}: this runtime has no ${message}`,
      }));

    test.each([
      ['setImmediate', 'node:timers', '{ setImmediate: undefined }'],
      ['setImmediate, setTimeout', 'node:timers', '{ setImmediate: undefined, setTimeout: undefined }'],
      ['performance', 'node:perf_hooks', '{ performance: undefined }'],
    ])('%s', (missing, module, functions) => {
      const flags = replace(module, functions);
      expect(run(setUp + load(file) + calls + code, {}, flags)).toEqual(
        expected(`${missing}, which asynchronous calls need`),
      );
    });

    test('structuredClone', () => {
      const flags = replace('node:worker_threads', '{ MessageChannel: undefined }');
      expect(run(setUp + remove + load(file) + calls + code, {}, flags)).toEqual(
        expected('structuredClone that transfers buffers', 'transfer'),
      );
    });
  },
);

// Each of them takes 2 to 5 ms, and streams hold what they are of.
test.each(['index.mjs', 'native.mjs', 'js.mjs', 'wasm.mjs'])(
  '%s opens no standard stream, and leaves modules of Node’s until they are used',
  (file) => {
    const code = `
      const opened = [];
      for (const name of ['stdin', 'stdout', 'stderr']) {
        const { get } = Object.getOwnPropertyDescriptor(process, name);
        Object.defineProperty(process, name, { get() { opened.push(name); return get.call(process); } });
      }
      ${load(file)}
      const { moduleLoadList } = process;
      const loaded = ['crypto', 'worker_threads'].filter((name) => moduleLoadList.includes('NativeModule ' + name));
      const drawn = [api.sample(new Float32Array(3)).tokens.length, moduleLoadList.includes('NativeModule crypto')];
      const { writeSync } = await import('node:fs');
      writeSync(1, JSON.stringify({ opened, loaded, drawn }));
    `;
    const isWasm = file.startsWith('wasm');
    expect(run(code)).toEqual({ opened: [], loaded: isWasm ? ['worker_threads'] : [], drawn: [1, true] });
  },
);
