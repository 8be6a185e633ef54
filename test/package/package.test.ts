// The package as its consumers see it.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { allSignatures, shardFunctions, tokenOperations } from '../helpers/signatures.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const others = ['SoftmaxStream', 'backend', 'getThreads', 'setThreads', ...shardFunctions];
const operations = [...allSignatures.map(({ name }) => name), ...tokenOperations];
const functions = operations.flatMap((name) => [name, `${name}Async`]);
const names = [...functions, ...others].sort();

function run(flags: string[], code: string): unknown {
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', code], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

it.each(['', '/js', '/native', '/wasm'])(
  'softmax-native%s exports the same names to import and to require',
  (subpath) => {
    const entry = JSON.stringify(`softmax-native${subpath}`);
    const report =
      'console.log(JSON.stringify([Object.keys(api).sort(), [...api.softmax(new Float32Array([0, 0]))]]))';
    const exported = subpath === '/wasm' ? [...names, 'init'].sort() : names;
    expect(run(['--input-type=module'], `import * as api from ${entry}; ${report}`)).toEqual([
      exported,
      [0.5, 0.5],
    ]);
    expect(run(['--input-type=commonjs'], `const api = require(${entry}); ${report}`)).toEqual([
      exported,
      [0.5, 0.5],
    ]);
  },
);

it('the types declare these names and no others', () => {
  const declared = readFileSync(join(root, 'dist/index.d.mts'), 'utf8');
  const [exported = ''] = declared.match(/^export \{[^}]*\}/gm)?.slice(-1) ?? [];
  // Types begin with a capital.
  const values = exported.match(/\b[a-z]\w*(?=,| \})/g) ?? [];
  expect(values.sort()).toEqual(names.filter((name) => /^[a-z]/.test(name)));
});

it('every exported path exists', () => {
  const paths = new Set(JSON.stringify(manifest.exports).match(/\.\/[^"]+\.(?:mjs|cjs|mts|cts|json)/g));
  expect(paths.size).toBe(17);
  for (const path of paths) expect(existsSync(join(root, path)), path).toBe(true);
});

it('installs without running anything and without dependencies', () => {
  expect(manifest.gypfile).toBe(false);
  expect(manifest.dependencies).toBeUndefined();
  // npm runs prepare for a clone, never for an installed package.
  for (const script of ['preinstall', 'install', 'postinstall'])
    expect(manifest.scripts[script]).toBeUndefined();
});
