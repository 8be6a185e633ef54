// Where the addon is looked for: on every platform, beside code that bundlers have changed, by programs that may not look.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { chooseBackend } from '../../src/backends/choose.js';
import { binary, load, otherTier, preload, probabilities, replace, root, run } from '../helpers/processes.js';

const platform = `${process.platform}-${process.arch}`;
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'softmax-native-')));
const installed = join(directory, 'node_modules/softmax-native');
const entry = join(installed, 'dist/index.mjs');
const prebuild = join(installed, 'prebuilds', platform, 'softmax-native.node');
const again = 'remove softmax-native from node_modules and install it again';
const prefix = "the native backend can't be used: ";

beforeEach(() => {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(prebuild, '..'), { recursive: true });
  cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  cpSync(join(root, binary), prebuild);
});
afterAll(() => rmSync(directory, { recursive: true }));

const processIs = (name: string) => {
  const [system, arch] = name.split('-');
  return preload(`for (const [name, value] of [['platform', '${system}'], ['arch', '${arch}']])
    Object.defineProperty(process, name, { value });`);
};

it.each(['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'])(
  'the prebuilt binary of %s',
  (name) => {
    rmSync(join(installed, 'prebuilds'), { recursive: true });
    const wanted = join(installed, 'prebuilds', name, 'softmax-native.node');
    const { backend, result } = load(entry, {}, processIs(name));
    const reason = `${prefix}${wanted} is missing; was the package copied without its prebuilds? ${again}`;
    expect(backend).toMatchObject({ kind: otherTier, path: null });
    expect(backend?.reason).toContain(reason);
    expect(result).toEqual(probabilities);
  },
);

/** All of the package's code, by a bundler that wrote something else for what says where it is. */
function bundle(place: string): string {
  const app = join(directory, 'app');
  for (const name of readdirSync(join(root, 'dist'))) {
    if (!name.endsWith('.mjs')) continue;
    mkdirSync(app, { recursive: true });
    const text = readFileSync(join(root, 'dist', name), 'utf8');
    writeFileSync(join(app, name), text.replaceAll('import.meta.url', place));
  }
  return join(app, 'index.mjs');
}

describe('a bundle', () => {
  const lost = (bundled: string, goal: string) =>
    `${prefix}softmax-native is bundled into ${bundled}, which finds no native code; ` +
    `mark softmax-native as external, or copy its folder prebuilds to ${goal}`;

  it('that does not know its place, of a program without a file', () => {
    const { backend, warnings } = load(bundle('"nowhere"'));
    expect(backend?.reason).toContain(lost('a file that does not know its place', '../prebuilds beside it'));
    expect(warnings).toHaveLength(1);
  });

  it('that does not know its place: what its main file would import', () => {
    const bundled = pathToFileURL(bundle('"nowhere"')).href;
    const program = join(directory, 'app/program.mjs');
    writeFileSync(program, '');
    const code = `process.argv[1] = ${JSON.stringify(program)};
      const { backend } = await import('${bundled}'); console.log(JSON.stringify(backend));`;
    expect(run(code)).toMatchObject({ kind: 'native', path: prebuild });
    const other = code.replace('program.mjs', 'none.mjs');
    expect(run(other)).toMatchObject({ kind: 'native', path: prebuild });
  });

  // The form of this path is what Next.js's tracers follow: npm run check package -- --only next.
  it('that knows its folder alone', () => {
    cpSync(join(installed, 'prebuilds'), join(directory, 'prebuilds'), { recursive: true });
    rmSync(installed, { recursive: true });
    const flags = preload(`globalThis.__dirname = ${JSON.stringify(join(directory, 'app'))};`);
    const path = join(directory, 'prebuilds', platform, 'softmax-native.node');
    expect(load(bundle('"nowhere"'), {}, flags).backend).toMatchObject({ kind: 'native', path });
  });

  it('in CommonJS, where there is no import.meta', () => {
    const self = JSON.stringify(join(directory, 'app/index.cjs'));
    const flags = preload(`globalThis.__filename = ${self};`);
    expect(load(bundle('undefined'), {}, flags).backend).toMatchObject({ kind: 'native', path: prebuild });
    rmSync(join(installed, 'package.json'));
    const { reason } = load(bundle('undefined'), {}, flags).backend ?? {};
    expect(reason).toContain(lost(join(directory, 'app/index.cjs'), join(directory, 'prebuilds')));
  });
});

it('of a program that may not look for files, what is there serves all the same', () => {
  const flags = replace('node:fs', "{ existsSync() { throw new Error('not allowed'); } }");
  expect(load(entry, {}, flags).backend).toMatchObject({ kind: 'native', path: prebuild });
});

it('variables that may not be read are not set', () => {
  const refuse = (): never => {
    throw new Error('not allowed');
  };
  const { supported } = createRequire(import.meta.url)(join(root, binary)) as { supported: string[] };
  const { backend } = chooseBackend(new Proxy({}, { get: refuse }));
  expect(backend).toMatchObject({ kind: 'native', isa: supported[0] });
});

it('a binary without the kernels that it speaks of', () => {
  const code = `import module from 'node:module';
    const load = module._extensions['.node'];
    module._extensions['.node'] = (module, path) => {
      load(module, path);
      const { interfaceVersion, supported } = module.exports;
      module.exports = { interfaceVersion, supported, kernelsOf() {} };
    };`;
  const { backend, warnings } = load(entry, {}, preload(code));
  expect(backend?.reason).toMatch(/has no kernels for (avx512|avx2|neon|scalar); remove softmax-native from/);
  expect(warnings).toHaveLength(1);
});

it('a binary without one of the operations', () => {
  const code = `import module from 'node:module';
    const load = module._extensions['.node'];
    module._extensions['.node'] = (module, path) => {
      load(module, path);
      module.exports = { ...module.exports, operations: module.exports.operations.slice(1) };
    };`;
  const { backend, warnings } = load(entry, {}, preload(code));
  expect(backend?.reason).toMatch(/the native addon has no operation softmax; remove softmax-native from/);
  expect(warnings).toHaveLength(1);
});
