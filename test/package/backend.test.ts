// The choice of a backend, seen from outside: each case is a process of its own with its own environment.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = 'build/Release/softmax_native.node';
const addon: { supported: string[] } = createRequire(import.meta.url)(join(root, binary));

interface Report {
  readonly backend?: { kind: string; isa: string | null; path: string | null; reason: string };
  readonly isFrozen?: boolean;
  readonly result?: number[];
  readonly error?: { name: string; code: string; message: string; cause: string };
  readonly warnings: string[];
}

const program = (entry: string) => `
  const warnings = [];
  process.on('warning', ({ name, code, message }) => warnings.push([name, code, message].join(' | ')));
  let report = {};
  try {
    const api = await import(${JSON.stringify(entry)});
    report = { backend: api.backend, isFrozen: Object.isFrozen(api.backend), result: [...api.softmax(new Float32Array([1, 2, 3]))] };
  } catch ({ name, code, message, cause }) {
    report = { error: { name, code, message, cause: String(cause) } };
  }
  setImmediate(() => console.log(JSON.stringify({ ...report, warnings })));
`;

/** Loads an entry point of the package at `directory` in a new process. */
function load(
  directory: string,
  entry: string,
  env: Record<string, string> = {},
  flags: string[] = [],
): Report {
  const { SOFTMAX_BACKEND: _backend, SOFTMAX_ISA: _isa, NODE_OPTIONS: _options, ...inherited } = process.env;
  const args = [...flags, '--input-type=module', '-e', program(join(directory, 'dist', entry))];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env: { ...inherited, ...env },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}

const probabilities = [0.09003057330846786, 0.2447284758090973, 0.6652409434318542];

describe('with a native build', () => {
  it('takes the best instruction set of this CPU', () => {
    const { backend, isFrozen, result, warnings } = load(root, 'index.mjs');
    expect(backend).toEqual({
      kind: 'native',
      isa: addon.supported[0],
      path: join(root, binary),
      reason: `the fastest of what this CPU runs (${addon.supported.join(', ')})`,
    });
    expect(isFrozen).toBe(true);
    expect(result).toEqual(probabilities);
    expect(warnings).toEqual([]);
  });

  it.each(addon.supported)('SOFTMAX_ISA=%s', (isa) => {
    const { backend, result } = load(root, 'index.mjs', { SOFTMAX_ISA: isa });
    expect(backend).toMatchObject({ kind: 'native', isa, reason: `forced by SOFTMAX_ISA=${isa}` });
    expect(result).toEqual(probabilities);
  });

  it('SOFTMAX_BACKEND=js', () => {
    const { backend, isFrozen, result } = load(root, 'index.mjs', { SOFTMAX_BACKEND: 'js' });
    expect(backend).toEqual({ kind: 'js', isa: null, path: null, reason: 'forced by SOFTMAX_BACKEND=js' });
    expect(isFrozen).toBe(true);
    expect(result).toEqual(probabilities);
  });

  it('softmax-native/js is JavaScript whatever the environment says', () => {
    const { backend, result } = load(root, 'js.mjs', { SOFTMAX_BACKEND: 'native', SOFTMAX_ISA: 'avx512' });
    expect(backend).toMatchObject({ kind: 'js', reason: 'imported from softmax-native/js' });
    expect(result).toEqual(probabilities);
  });

  it('a forced choice that can not be met is an error', () => {
    const missing = ['avx512', 'avx2', 'neon', 'scalar'].find(
      (isa) => !addon.supported.includes(isa),
    ) as string;
    expect(load(root, 'index.mjs', { SOFTMAX_ISA: missing }).error).toMatchObject({
      name: 'RangeError',
      code: 'ERR_BACKEND',
      message: `SOFTMAX_ISA=${missing} can't be met: this CPU or build does not have it`,
    });
    expect(load(root, 'index.mjs', { SOFTMAX_ISA: 'sse9' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: 'SOFTMAX_ISA="sse9" is none of avx512, avx2, neon, scalar',
    });
    expect(load(root, 'index.mjs', { SOFTMAX_BACKEND: 'gpu' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: 'SOFTMAX_BACKEND="gpu" is none of auto, native, js',
    });
    expect(load(root, 'index.mjs', { SOFTMAX_BACKEND: 'js', SOFTMAX_ISA: 'scalar' }).error).toMatchObject({
      code: 'ERR_BACKEND',
      message: "SOFTMAX_ISA=scalar can't be met with SOFTMAX_BACKEND=js",
    });
  });

  it('--no-addons ends in JavaScript with the reason, or in an error when native was forced', () => {
    const { backend, result, warnings } = load(root, 'index.mjs', {}, ['--no-addons']);
    expect(backend?.kind).toBe('js');
    expect(backend?.reason).toMatch(
      /does not load: Cannot load native addon because loading addons is disabled/,
    );
    expect(result).toEqual(probabilities);
    expect(warnings).toHaveLength(1);
    const { error } = load(root, 'index.mjs', { SOFTMAX_BACKEND: 'native' }, ['--no-addons']);
    expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_BACKEND' });
    expect(error?.cause).toMatch(/loading addons is disabled/);
  });
});

describe('without a native build, or with a broken one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'softmax-native-'));
  beforeAll(() => cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true }));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('JavaScript serves, and says why', () => {
    const { backend, result, warnings } = load(directory, 'index.mjs');
    expect(backend?.kind).toBe('js');
    expect(backend?.reason).toBe(
      `the native backend can't be used: there is no native build at ${join(directory, binary)}`,
    );
    expect(result).toEqual(probabilities);
    expect(warnings).toEqual([]);
  });

  it('native entry, SOFTMAX_BACKEND=native and SOFTMAX_ISA throw with the cause', () => {
    for (const { error } of [
      load(directory, 'native.mjs'),
      load(directory, 'index.mjs', { SOFTMAX_BACKEND: 'native' }),
      load(directory, 'index.mjs', { SOFTMAX_ISA: 'scalar' }),
    ]) {
      expect(error).toMatchObject({ name: 'RangeError', code: 'ERR_BACKEND' });
      expect(error?.message).toMatch(/^the native backend can't be used: there is no native build at/);
      expect(error?.cause).toMatch(/^LoadError: there is no native build at/);
    }
  });

  it('a file that is no binary: JavaScript, the reason, and one warning', () => {
    mkdirSync(join(directory, 'build/Release'), { recursive: true });
    writeFileSync(join(directory, binary), 'this is no shared library');
    const { backend, result, warnings } = load(directory, 'index.mjs');
    expect(backend?.kind).toBe('js');
    expect(backend?.reason).toContain(`${join(directory, binary)} does not load: `);
    expect(result).toEqual(probabilities);
    expect(warnings).toEqual([
      expect.stringMatching(/^SoftmaxNativeWarning \| SOFTMAX_NATIVE_FALLBACK \| .* does not load: /),
    ]);
  });
});
