// The addon and the kernels' tests of the copy, compiled without most optimisation: the bits are the same, as no flag
// lets the compiler change a floating-point operation. An object is named by what it is made of, so that a fault costs
// the objects that it is in, and taking it back nothing.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { scratch, tree } from './tree.mjs';

const compiler = process.env.CXX ?? 'c++';
const objects = `${scratch}objects/`;
const native = `${tree}native/`;
const addon = `${tree}build/Release/softmax_native.node`;
export const kernelsTest = `${scratch}kernels_test`;

/** The instruction sets and the flags of a repository, or of the copy: flags are a place for faults, too. */
export const readVariants = (directory = tree) =>
  JSON.parse(readFileSync(`${directory}native/variants.json`, 'utf8'));
const isOurs = ({ arch }) => arch === 'any' || arch === process.arch;
const require = createRequire(import.meta.url);
const addonFlags = [
  ...[require('node-addon-api').include_dir, require('node-api-headers').include_dir].map(
    (path) => `-I${path}`,
  ),
  '-DBUILDING_NODE_EXTENSION',
  '-DNAPI_VERSION=8',
  '-DNODE_ADDON_API_DISABLE_DEPRECATED',
  '-DNAPI_DISABLE_CPP_EXCEPTIONS',
];

/** A file and all that it includes of this project. */
function madeOf(file, found = new Set()) {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, included] of readFileSync(file, 'utf8').matchAll(/^#include "(.*)"/gm))
    madeOf(resolve(dirname(file), included), found);
  return found;
}

function objectOf({ flags }, source, ownFlags) {
  const common = flags.filter((flag) => !['-O3', '-Werror'].includes(flag));
  const command = [...common, '-O1', '-fPIC', ...ownFlags, '-c', native + source];
  const hash = createHash('sha1').update(JSON.stringify([compiler, command]));
  for (const file of madeOf(native + source)) hash.update(readFileSync(file));
  return { path: `${objects}${source.replace(/\W/g, '-')}-${hash.digest('hex').slice(0, 16)}.o`, command };
}

const kernelObjects = ({ common, variants }) =>
  new Map(
    Object.entries(variants)
      .filter(([, variant]) => isOurs(variant))
      .map(([isa, { source, flags }]) => [isa, objectOf(common, source, flags)]),
  );

function run(command) {
  return new Promise((done) => {
    const child = spawn(compiler, command, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('error', (error) => done(String(error)));
    child.on('close', (status) => done(status === 0 ? undefined : said.slice(0, 4000)));
  });
}

/** Compiles those that are not there yet, as many at a time as there are CPUs. */
async function compile(wanted) {
  const missing = wanted.filter(({ path }) => !existsSync(path));
  const failures = [];
  const work = async () => {
    for (let object = missing.pop(); object; object = missing.pop()) {
      const unfinished = `${object.path}.${process.pid}`;
      const failure = await run([...object.command, '-o', unfinished]);
      if (failure === undefined) renameSync(unfinished, object.path);
      else failures.push(failure);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  return failures[0];
}

/** The objects of the tree without a fault, by their instruction sets. */
let faultless = new Map();

const shared = (path) =>
  process.platform === 'darwin'
    ? ['-dynamiclib', '-undefined', 'dynamic_lookup', '-o', path]
    : ['-shared', '-Wl,-z,nodelete', `-Wl,--version-script=${native}addon/exports.map`, '-o', path];

/**
 * Builds the addon, and the kernels' tests if they are wanted. `instructionSets`: those whose kernels have the fault; the
 * others' are as they were. What went wrong, if anything did.
 */
export async function buildNative(instructionSets, wantsKernelsTest) {
  mkdirSync(objects, { recursive: true });
  mkdirSync(dirname(addon), { recursive: true });
  const described = readVariants();
  const { common } = described;
  const kernels = kernelObjects(described);
  if (instructionSets === undefined) faultless = kernels;
  else for (const [isa, object] of faultless) if (!instructionSets.includes(isa)) kernels.set(isa, object);
  const inner = [...kernels.values(), ...common.sources.map((source) => objectOf(common, source, []))];
  const outer = common.addon.map((source) => objectOf(common, source, addonFlags));
  const test = wantsKernelsTest ? [objectOf(common, 'test/kernels_test.cc', [])] : [];
  const failure = await compile([...inner, ...outer, ...test]);
  if (failure !== undefined) return failure;
  const pathsOf = (some) => some.map(({ path }) => path);
  const failures = [
    await run([...shared(addon), ...pathsOf([...outer, ...inner]), '-pthread']),
    wantsKernelsTest && (await run(['-o', kernelsTest, ...pathsOf([...test, ...inner]), '-pthread'])),
  ];
  return failures.find(Boolean);
}

/** The addon of `npm run build:native`, if there is one: enough for faults in TypeScript. */
export function takeBuilt() {
  const built = new URL('../../build/Release/softmax_native.node', import.meta.url);
  if (!existsSync(built)) return false;
  mkdirSync(dirname(addon), { recursive: true });
  copyFileSync(built, addon);
  return true;
}

/** The instruction sets that this machine can run. */
export function supported() {
  const { stdout } = spawnSync(
    process.execPath,
    ['-p', `require(${JSON.stringify(addon)}).supported.join()`],
    {
      encoding: 'utf8',
    },
  );
  return stdout.trim().split(',');
}

export const touchesNative = ({ files }) => files.some((file) => file.startsWith(join('native', '/')));
