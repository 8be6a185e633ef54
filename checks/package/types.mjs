// TypeScript consumers, strict and with every declaration file checked; publint and attw on the tarball.
import { cpSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check, expectEqual, expectMatch } from './checks.mjs';
import { copyOfInstalled, root, run, tool } from './stage.mjs';

const strict = {
  target: 'es2022',
  lib: ['es2023'],
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
};
/** How a project may resolve modules, and its file. */
const projects = [
  ['nodenext, ES module', { module: 'nodenext' }, 'uses.mts'],
  ['nodenext, CommonJS', { module: 'nodenext' }, 'uses.cts'],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, 'uses.ts'],
  [
    'bundler, for browsers',
    { module: 'esnext', moduleResolution: 'bundler', lib: ['es2023', 'dom'], types: [] },
    'uses.ts',
  ],
];

async function compile(folder, version, tsc) {
  for (const [name, options, file] of projects)
    await check(`TypeScript ${version}, ${name}`, () => {
      const config = { compilerOptions: { ...strict, ...options }, files: [file] };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      run(process.execPath, [tsc, '-p', '.'], { cwd: folder });
    });
}

export async function types(stage) {
  const folder = copyOfInstalled(stage, 'types');
  const consumer = fileURLToPath(new URL('consumers/uses.ts.txt', import.meta.url));
  for (const [, , file] of projects) cpSync(consumer, join(folder, file));
  for (const path of [tool('typescript'), join(root, 'node_modules/typescript')]) {
    const { version } = createRequire(import.meta.url)(join(path, 'package.json'));
    await compile(folder, version, join(path, 'bin/tsc'));
  }
  await check('publint has nothing to say', () =>
    expectMatch(run(tool('.bin/publint'), [stage.tarball, '--strict']), /^All good!$/m),
  );
  // TypeScript's resolution of before `exports`, node10, knows no subpaths; its version 7 has dropped it.
  await check('attw has nothing to say', () => {
    const { analysis } = JSON.parse(
      run(tool('.bin/attw'), [stage.tarball, '--profile', 'node16', '--format', 'json']),
    );
    expectEqual(
      analysis.problems.filter(({ resolutionKind }) => resolutionKind !== 'node10'),
      [],
    );
  });
}
