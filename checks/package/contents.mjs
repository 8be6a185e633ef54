// What is in the tarball: exactly the files of files.txt, small enough, and nothing that an installer would run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, expectEqual, skip } from './checks.mjs';

const listed = readFileSync(new URL('files.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const mostBytes = 4_000_000;

export async function contents({ packed, installed }) {
  const names = packed.files.map(({ path }) => path);
  const isPrebuild = (name) => name.startsWith('prebuilds/');
  const missing = listed.filter((name) => isPrebuild(name) && !names.includes(name));
  await check('the files of files.txt and no others', () => {
    const expected = listed.filter((name) => !missing.includes(name));
    expectEqual(names.sort(), expected.sort());
  });
  if (missing.length > 0) skip('the size of the tarball', `it has no ${missing.join(', ')}`);
  else
    await check(`at most ${mostBytes} bytes`, () => {
      if (packed.size > mostBytes) throw new Error(`it has ${packed.size}`);
      return `${packed.size}, unpacked ${packed.unpackedSize}`;
    });
  await check('nothing to run or to install with it', () => {
    const path = join(installed, 'node_modules/softmax-native/package.json');
    const { scripts = {}, gypfile, dependencies = {} } = JSON.parse(readFileSync(path, 'utf8'));
    // prepare is for a clone: `managers` shows that installing the tarball runs no script.
    const run = ['preinstall', 'install', 'postinstall'].filter((name) => scripts[name] !== undefined);
    const expected = { run: [], gypfile: false, dependencies: {}, recipes: [] };
    expectEqual(
      { run, gypfile, dependencies, recipes: names.filter((name) => /\.gyp$/.test(name)) },
      expected,
    );
  });
}
