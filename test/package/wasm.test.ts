// WebAssembly in place of native code: when it serves and why it does not, and the entry points for browsers.

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/backends/wasm/start.js';
import { hasModules, load, preload, probabilities, root, run } from '../helpers/processes.js';

const isBuilt = hasModules && existsSync(join(root, 'dist/softmax-simd.wasm'));
if (!isBuilt) console.log('WebAssembly is not built, nor tested: npm run build:wasm && npm run build:ts');

const directory = mkdtempSync(join(tmpdir(), 'softmax-native-wasm-'));
afterAll(() => rmSync(directory, { recursive: true }));

const dist = (file: string) => join(root, 'dist', file);
const withoutAddons = ['--no-addons'];
const noAddons = "the native backend can't be used: addons are disabled by --no-addons; run without it";
const isas = ['relaxed-simd', 'simd128'];

/** The package as it is built, without the modules. */
function withoutModules(): string {
  const copy = join(directory, 'without');
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  for (const name of readdirSync(join(copy, 'dist')).filter((file) => file.endsWith('.wasm')))
    rmSync(join(copy, 'dist', name));
  return join(copy, 'dist/index.mjs');
}

describe.runIf(isBuilt)('the choice', () => {
  it.each(['index.mjs', 'index.cjs'])(
    '%s: WebAssembly where there is no native code, with the reason',
    (file) => {
      const { backend, result, isFrozen, warnings } = load(dist(file), {}, withoutAddons);
      expect(backend).toMatchObject({ kind: 'wasm', path: null, reason: noAddons });
      expect(isas).toContain(backend?.isa);
      expect(result).toEqual(probabilities);
      expect(isFrozen).toBe(true);
      expect(warnings).toEqual([]);
    },
  );

  it('SOFTMAX_BACKEND=wasm, and one of its two modules', () => {
    const { backend, result } = load(dist('index.mjs'), { SOFTMAX_BACKEND: 'wasm' });
    expect(backend).toMatchObject({ kind: 'wasm', path: null, reason: 'forced by SOFTMAX_BACKEND=wasm' });
    expect(result).toEqual(probabilities);
    const plain = load(dist('index.mjs'), { SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: 'simd128' });
    expect(plain.backend).toMatchObject({ isa: 'simd128', reason: 'forced by SOFTMAX_ISA=simd128' });
    expect(load(dist('index.mjs'), { SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: 'avx2' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: 'SOFTMAX_ISA="avx2" is none of relaxed-simd, simd128',
    });
  });

  it('relaxed SIMD serves only where it fuses', () => {
    // An engine that has the instruction, and rounds the product: the module says so.
    const unfused = `const { Instance } = WebAssembly;
      WebAssembly.validate = () => true;
      WebAssembly.Instance = class {
        constructor(module, imports) {
          const { exports } = new Instance(module, imports);
          this.exports = { ...exports, isFused: () => (asked++ === 0 ? 0 : exports.isFused()) };
        }
      };
      const { Module } = WebAssembly;
      const { readFileSync } = process.getBuiltinModule('node:fs');
      WebAssembly.Module = class { constructor() { return new Module(readFileSync(${JSON.stringify(dist('softmax-simd.wasm'))})); } };
      let asked = 0;`;
    const { backend, result } = load(dist('index.mjs'), {}, [...withoutAddons, ...preload(unfused)]);
    expect(backend).toMatchObject({ kind: 'wasm', isa: 'simd128' });
    expect(result).toEqual(probabilities);
    const { error } = load(
      dist('index.mjs'),
      { SOFTMAX_BACKEND: 'wasm', SOFTMAX_ISA: 'relaxed-simd' },
      preload(unfused),
    );
    expect(error?.message).toBe(
      "the WebAssembly backend can't be used: this runtime has no fused multiply-add",
    );
  });

  it('JavaScript where neither can be had: both reasons, or an error if it was forced', () => {
    const file = withoutModules();
    const { backend, result } = load(file, {}, withoutAddons);
    const missing =
      /^there is no softmax-(relaxed|simd)\.wasm beside the code; copy it there, or build it by npm run build:wasm$/;
    expect(backend).toMatchObject({ kind: 'js', isa: null });
    const [native, wasm] = (backend?.reason ?? '').split('. Nor can WebAssembly: ');
    expect(native).toContain("the native backend can't be used: ");
    expect(wasm).toMatch(missing);
    expect(result).toEqual(probabilities);
    const { error } = load(file, { SOFTMAX_BACKEND: 'wasm' });
    expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_BACKEND' });
    expect(error?.message.replace("the WebAssembly backend can't be used: ", '')).toMatch(missing);
  });

  it('a file that is no module, and a runtime without WebAssembly', () => {
    const file = withoutModules();
    for (const name of ['simd', 'relaxed']) writeFileSync(join(file, `../softmax-${name}.wasm`), 'cut');
    const { backend, result } = load(file, {}, withoutAddons);
    expect(backend?.kind).toBe('js');
    expect(backend?.reason).toContain('. Nor can WebAssembly: WebAssembly.Module(): ');
    expect(result).toEqual(probabilities);
    const bare = load(dist('index.mjs'), {}, [...withoutAddons, ...preload('delete globalThis.WebAssembly')]);
    expect(bare.backend).toMatchObject({
      kind: 'js',
      reason: `${noAddons}. Nor can WebAssembly: this runtime has no WebAssembly`,
    });
  });

  it.each(['wasm.mjs', 'wasm.cjs', 'web/wasm.mjs'])(
    'softmax-native/wasm (%s), whatever the environment says',
    (file) => {
      const { backend, result, isFrozen } = load(dist(file), {
        SOFTMAX_BACKEND: 'js',
        SOFTMAX_ISA: 'avx512',
      });
      expect(isFrozen).toBe(true);
      expect(result).toEqual(probabilities);
      expect(
        run(`import { backend, init } from ${JSON.stringify(dist(file))};
      const same = backend === await init();
      console.log(JSON.stringify({ kind: backend.kind, reason: backend.reason, same }));`),
      ).toEqual({
        kind: 'wasm',
        reason: 'imported from softmax-native/wasm',
        same: true,
      });
      expect(backend).toBeDefined();
    },
  );

  it('threads of a process share the compiled module', () => {
    const code = `
      import { Worker } from 'node:worker_threads';
      import { backend } from ${JSON.stringify(dist('index.mjs'))};
      const worker = new Worker(\`
        const { Module } = WebAssembly;
        let compiled = 0;
        WebAssembly.Module = class { constructor(code) { compiled++; return new Module(code); } };
        import(${JSON.stringify(dist('index.mjs'))}).then(async ({ backend, softmax }) => {
          const { parentPort } = await import('node:worker_threads');
          parentPort.postMessage([backend.kind, compiled, ...softmax(new Float32Array([1, 2, 3]))]);
        });
      \`, { eval: true });
      worker.once('message', (message) => console.log(JSON.stringify([backend.kind, ...message])));`;
    expect(run(code, { SOFTMAX_BACKEND: 'wasm' })).toEqual(['wasm', 'wasm', 0, ...probabilities]);
  });
});

/** dist/web in a context of its own with no more than these globals, as a page has them. */
function inPage(file: string, globals: object, options: vm.CreateContextOptions = {}) {
  const context = vm.createContext({ atob, performance, crypto, setTimeout, ...globals }, options);
  const modules = new Map<string, unknown>();
  const require = (name: string): unknown => {
    const path = join(root, 'dist/web', name);
    if (!modules.has(path)) {
      const module = { exports: {} };
      modules.set(path, module.exports);
      const wrapper = vm.runInContext(
        `(function (module, exports, require) {${readFileSync(path, 'utf8')}\n})`,
        context,
      );
      wrapper(module, module.exports, require);
      modules.set(path, module.exports);
    }
    return modules.get(path);
  };
  const api = require(file) as typeof import('../../src/api/wasm.js');
  const floats = vm.runInContext('(values) => new Float32Array(values)', context) as (
    values: number[],
  ) => Float32Array;
  return { api, floats, softmax: () => [...api.softmax(floats([1, 2, 3]))] };
}

describe('what is forbidden, in the words of each engine', () => {
  const policy = "the page's Content-Security-Policy has no 'wasm-unsafe-eval'";
  const source = 'is not an allowed source of script in the following Content Security Policy directive';
  it.each([
    ['V8', 'CompileError', `WebAssembly.Module(): … because 'unsafe-eval' ${source}: "script-src 'self'"`],
    ['SpiderMonkey', 'CompileError', 'call to WebAssembly.Module() blocked by CSP'],
    ['JavaScriptCore', 'EvalError', `Refused to create a WebAssembly object because 'unsafe-eval' ${source}`],
  ])('%s', (_, name, message) => {
    expect(whyNot(Object.assign(new Error(message), { name }))).toBe(`${policy} (${message})`);
  });

  it('V8 in an edge worker', () => {
    const message = 'WebAssembly.Module(): Wasm code generation disallowed by embedder';
    const remedy = "give init() the module, or a page's policy 'wasm-unsafe-eval'";
    expect(whyNot(Object.assign(new Error(message), { name: 'CompileError' }))).toBe(
      `this runtime forbids to compile it; ${remedy} (${message})`,
    );
  });

  it('and nothing else is taken for it', () => {
    for (const name of ['CompileError', 'EvalError'])
      expect(whyNot(Object.assign(new Error('expected magic word\nat'), { name }))).toBe(
        'expected magic word',
      );
  });
});

describe('without Node', () => {
  it('dist/web imports nothing of Node', () => {
    for (const file of readdirSync(dist('web')))
      expect(readFileSync(dist(`web/${file}`), 'utf8'), file).not.toMatch(/node:|require\("[^.]|from "[^.]/);
  });

  it('softmax-native/js in a page', async () => {
    const { api, floats, softmax } = inPage('js.cjs', {});
    expect(api.backend.kind).toBe('js');
    expect(softmax()).toEqual(probabilities);
    const large = floats(Array.from({ length: 50_000 }, (_, i) => i % 17));
    const given = { shape: [50, 1000] };
    expect([...(await api.softmaxAsync(large, given))]).toEqual([...api.softmax(large, given)]);
  });

  it.runIf(isBuilt)('softmax-native/wasm in a page', async () => {
    const { api, floats, softmax } = inPage('wasm.cjs', {});
    expect(api.backend).toMatchObject({ kind: 'wasm', path: null });
    expect(softmax()).toEqual(probabilities);
    const large = floats(Array.from({ length: 50_000 }, (_, i) => i % 17));
    expect([...(await api.softmaxAsync(large))]).toEqual([...api.softmax(large)]);
    expect(api.sample(large, { seed: 1 }).tokens).toHaveLength(1);
  });

  it.runIf(isBuilt)(
    'a Content-Security-Policy that forbids to compile: JavaScript, and the reason',
    async () => {
      const { api, softmax } = inPage('wasm.cjs', {}, { codeGeneration: { strings: false, wasm: false } });
      expect(api.backend.kind).toBe('js');
      const policy =
        "WebAssembly can't be used: this runtime forbids to compile it; give init() the module, or ";
      expect(api.backend.reason).toContain(policy);
      expect(softmax()).toEqual(probabilities);
      expect((await api.init()).kind).toBe('js');
      expect(api.backend.reason).toContain(policy);
    },
  );

  it.runIf(isBuilt)(
    'init() where modules are compiled away from the main thread only, or given',
    async () => {
      class Module {
        constructor() {
          throw new RangeError('WebAssembly.Compile is disallowed on the main thread');
        }
      }
      type Functions = Record<'compile' | 'validate' | 'Instance', unknown>;
      type Api = Functions & { Module: new (code: Uint8Array) => object };
      const real = (globalThis as unknown as { WebAssembly: Api }).WebAssembly;
      const own = { compile: real.compile, validate: real.validate, Instance: real.Instance, Module };
      for (const given of [undefined, new real.Module(readFileSync(dist('softmax-simd.wasm')))]) {
        const { api, softmax, floats } = inPage('wasm.cjs', { WebAssembly: own });
        expect(api.backend.kind).toBe('js');
        expect(api.backend.reason).toContain('disallowed on the main thread');
        const x = floats(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 31));
        const before = [...api.logSoftmax(x, { temperature: 2 })];
        expect((await api.init(given)).kind).toBe('wasm');
        expect(api.backend.reason).toBe('imported from softmax-native/wasm');
        expect([...api.logSoftmax(x, { temperature: 2 })]).toEqual(before);
        expect(softmax()).toEqual(probabilities);
      }
    },
  );
});
