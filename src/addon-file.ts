// Where the addon's file is: built in a clone, in the installed package, or in the one that a bundle came from.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isLoadable } from './backends/native/binary-file.js';
import { LoadError, rebuild, reinstall } from './backends/native/load-error.js';
import { requireFrom } from './backends/native/require.js';
import { process } from './node-modules.js';
import { version } from './version.js';

const platform = `${process.platform}-${process.arch}`;
const prebuilt = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-x64', 'darwin-arm64'];

export interface AddonFile {
  readonly path: string;
  /** What to do when it is of no use. */
  readonly again: string;
}

interface Beside {
  /** The file that has this code: of the package, or a bundle. */
  readonly self: string;
  readonly development: string;
  readonly prebuild: string;
  readonly manifest: string;
  /** Of the development build; of the package, only a clone has it. */
  readonly recipe: string;
}

/** The files around this one; undefined where a bundler took away what says where that is. */
export function filesBeside(): Beside | undefined {
  try {
    const self = import.meta.url ? fileURLToPath(import.meta.url) : __filename;
    const here = dirname(self);
    return {
      self,
      development: join(here, '../build/Release/softmax_native.node'),
      prebuild: join(here, '../prebuilds', platform, 'softmax-native.node'),
      manifest: join(here, '../package.json'),
      recipe: join(here, '../binding.gyp'),
    };
  } catch {
    return undefined;
  }
}

/**
 * The binary beside the file that has this code, written so that what gathers a program's files sees it: @vercel/nft in the
 * versions that Next.js carries, and Turbopack, which follow no path that begins with `import.meta.url`, but this one even
 * in ES modules, where it throws. Bundlers leave calls of `join` alone.
 */
function prebuildOfOwnFolder(): string | undefined {
  try {
    return join(__dirname, '../prebuilds', platform, 'softmax-native.node');
  } catch {
    return undefined;
  }
}

/** Also false where Node's permission model forbids to look, which some versions throw. */
function exists(path: string): boolean {
  try {
    return existsSync(path);
  } catch {
    return false;
  }
}

interface Manifest {
  readonly name?: unknown;
  readonly version?: unknown;
}

export function isOurs(require: NodeJS.Require, path: string): boolean {
  try {
    const found: Manifest = require(path);
    return found.name === 'softmax-native' && found.version === version;
  } catch {
    return false;
  }
}

const includeInTrace =
  "have Next.js copy it: outputFileTracingIncludes: { '/**': ['./node_modules/softmax-native/prebuilds/**'] }";

/** Why there is no sense in looking further: no binary was made, or it is not where the package has it. */
function missingFromPackage(beside: Beside | undefined): LoadError | undefined {
  const isPackage = beside !== undefined && isOurs(requireFrom(beside.self), beside.manifest);
  if (isPackage && exists(beside.recipe))
    return new LoadError(`there is no native build at ${beside.development}`, rebuild, false);
  if (!prebuilt.includes(platform)) {
    const happened = `there is no prebuilt binary for ${platform}, only for ${prebuilt.join(', ')}`;
    return new LoadError(happened, 'JavaScript computes the same bits, slower', false);
  }
  if (!isPackage) return undefined;
  const isTraced = /[\\/]\.next[\\/]standalone[\\/]/.test(beside.self);
  const remedy = isTraced ? includeInTrace : `was the package copied without its prebuilds? ${reinstall}`;
  return new LoadError(`${beside.prebuild} is missing`, remedy, true);
}

/** CommonJS knows its file; an ES module may throw here, as do those of webpack, which says of both that they know. */
function ownFile(): string | undefined {
  try {
    return __filename;
  } catch {
    return undefined;
  }
}

/** The program's main file, behind the links of a folder of commands. */
function mainFile(): string | undefined {
  try {
    return realpathSync(process.argv[1] as string);
  } catch {
    return process.argv[1];
  }
}

/**
 * Where a bundle with this code may be: the file that has it, unless a bundler wrote down where that was once, and the
 * program's main file. Never the working directory: what lies there is not always what its user would run.
 */
export function bundlePlaces(beside: Beside | undefined): string[] {
  const written = beside !== undefined && exists(beside.self) ? beside.self : undefined;
  return [written, ownFile(), mainFile()].filter((place) => place !== undefined);
}

/** The prebuilt binary of the package that the code at that place would import, if it is this release. */
function ofInstalledPackage(place: string): string | undefined {
  try {
    const require = requireFrom(place);
    const path = require.resolve('softmax-native/package.json');
    return isOurs(require, path)
      ? join(dirname(path), 'prebuilds', platform, 'softmax-native.node')
      : undefined;
  } catch {
    return undefined;
  }
}

function findForBundle(beside: Beside | undefined): AddonFile {
  const places = bundlePlaces(beside);
  const found = places.flatMap((place) => [
    join(dirname(place), '../prebuilds', platform, 'softmax-native.node'),
    ofInstalledPackage(place),
  ]);
  for (const path of [prebuildOfOwnFolder(), ...found])
    if (path !== undefined && isLoadable(path, reinstall)) return { path, again: reinstall };
  const [bundle = 'a file that does not know its place'] = places;
  const goal = places.length === 0 ? '../prebuilds beside it' : join(dirname(bundle), '../prebuilds');
  const happened = `softmax-native is bundled into ${bundle}, which finds no native code`;
  const remedy = `mark softmax-native as external, or copy its folder prebuilds to ${goal}`;
  throw new LoadError(happened, remedy, true);
}

/** The addon's file, looked at. Throws a LoadError that says what there is instead. */
export function findAddon(): AddonFile {
  const beside = filesBeside();
  if (beside !== undefined) {
    const { development, prebuild } = beside;
    if (exists(development) && isLoadable(development, rebuild)) return { path: development, again: rebuild };
    if (prebuilt.includes(platform) && isLoadable(prebuild, reinstall))
      return { path: prebuild, again: reinstall };
  }
  const missing = missingFromPackage(beside);
  if (missing !== undefined) throw missing;
  return findForBundle(beside);
}
