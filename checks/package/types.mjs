// TypeScript consumers, strict and with every declaration file checked: by the oldest TypeScript that docs/installing.md
// promises, one of before and one of after typed arrays had a type of memory, and the newest. publint and attw on the tarball.
import { cpSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, expectEqual, expectMatch } from './checks.mjs';
import { copyOfInstalled, root, run, tool } from './stage.mjs';

const strict = {
  target: 'es2022',
  lib: ['es2022'],
  types: [],
  typeRoots: [join(root, 'node_modules/@types')],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};
const compilers = ['typescript-4.7', 'typescript-5.6', join(root, 'node_modules/typescript'), 'typescript'];
/** Where the consumers are compiled, by which versions of TypeScript, and how a project there may resolve modules. */
const projects = [
  { name: 'nodenext', files: ['uses.mts', 'uses.cts'], options: { module: 'nodenext' } },
  { name: 'node16', files: ['uses.mts', 'uses.cts'], options: { module: 'node16' } },
  {
    name: 'node (node10)',
    before: 6,
    files: ['uses.ts'],
    options: { module: 'commonjs', moduleResolution: 'node' },
  },
  {
    name: 'bundler',
    from: 5,
    files: ['uses.ts'],
    options: { module: 'esnext', moduleResolution: 'bundler' },
  },
  {
    name: 'bundler, for browsers',
    from: 5.9,
    files: ['uses.ts'],
    options: { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'] },
  },
  {
    name: "new results' memory, other libraries' tensors",
    from: 5.9,
    files: ['memory.cts'],
    options: { module: 'nodenext', lib: ['esnext', 'dom'] },
  },
  {
    name: "with Node's types",
    from: 5.9,
    files: ['uses.mts', 'uses.cts'],
    options: { module: 'nodenext', lib: ['es2023'], types: ['node'] },
  },
];
const libraries = ['@types/ndarray', 'npyjs', 'onnxruntime-common'];

async function compile(folder, path) {
  const { version } = createRequire(import.meta.url)(join(path, 'package.json'));
  const number = Number.parseFloat(version);
  for (const { name, from = 0, before = Number.POSITIVE_INFINITY, files, options } of projects)
    if (number >= from && number < before)
      await check(`TypeScript ${version}, ${name}`, () => {
        const config = { compilerOptions: { ...strict, ...options }, files };
        writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
        run(process.execPath, [join(path, 'bin/tsc'), '-p', '.'], { cwd: folder });
      });
}

export async function types(stage) {
  const folder = copyOfInstalled(stage, 'types');
  for (const file of new Set(projects.flatMap(({ files }) => files))) {
    const consumer = `consumers/${file.replace(/\..*/, '')}.ts.txt`;
    cpSync(fileURLToPath(new URL(consumer, import.meta.url)), join(folder, file));
  }
  for (const name of libraries) cpSync(tool(name), join(folder, 'node_modules', name), { recursive: true });
  for (const name of compilers) await compile(folder, name.startsWith('/') ? name : tool(name));
  await check('publint has nothing to say', () =>
    expectMatch(run(tool('.bin/publint'), [stage.tarball, '--strict']), /^All good!$/m),
  );
  await check('attw has nothing to say, of node10, node16 and bundlers', () => {
    // Files, of which each runtime's own types say what their import gives.
    const files = ['./softmax-simd.wasm', './softmax-relaxed.wasm'];
    const args = [stage.tarball, '--format', 'json', '--exclude-entrypoints', ...files];
    const { analysis } = JSON.parse(run(tool('.bin/attw'), args));
    expectEqual(analysis.problems, []);
  });
}
