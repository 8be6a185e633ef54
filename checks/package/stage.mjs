// Fresh folders, the tarball in them, and the tools that run there.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
export const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'softmax-package-')));
export const platform = `${process.platform}-${process.arch}`;
/** In an installed package. */
export const prebuild = join('prebuilds', platform, 'softmax-native.node');

/** The path of a file of the tools. */
export const tool = (path) => join(here, 'node_modules', path);
const native = {
  x64: ['bun-linux-x64', 'linux-x64-glibc', 'workerd-linux-64'],
  arm64: ['bun-linux-aarch64', 'linux-arm64-glibc', 'workerd-linux-arm64'],
};
export const bun = tool(`@oven/${native[process.arch]?.[0]}/bin/bun`);
export const workerd = tool(`@cloudflare/${native[process.arch]?.[2]}/bin/workerd`);
export const deno = tool(`@deno/${native[process.arch]?.[1]}/deno`);

/**
 * What the caller's environment says about backends, or npm about its own run, is none of a consumer's; nor is that it is a
 * CI machine's, where Yarn and pnpm refuse to write lock files and publint writes in colours.
 */
const { SOFTMAX_BACKEND, SOFTMAX_ISA, SOFTMAX_THREADS, NODE_OPTIONS, CI, FORCE_COLOR, ...others } =
  process.env;
const inherited = Object.fromEntries(
  Object.entries(others).filter(([name]) => !/^npm_(?!config_(cache|registry))/i.test(name)),
);

/** Runs a program to its end. Throws with all it said when it does not end with exit code 0. */
export function run(program, args, { cwd = scratch, env = {} } = {}) {
  const options = {
    cwd,
    env: { ...inherited, ...env },
    encoding: 'utf8',
    timeout: 300_000,
    maxBuffer: 2 ** 26,
  };
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, options);
  if (status === 0) return stdout;
  const command = [program, ...args].join(' ');
  throw new Error(
    `${command}: ${error?.message ?? `exit code ${status}, signal ${signal}`}\n${stdout}${stderr}`,
  );
}

/** Installs the tools of this folder when they are missing or of other versions. */
export function installTools() {
  const installed = join(here, 'node_modules/.package-lock.json');
  if (
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs
  )
    return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: here, stdio: 'inherit' });
}

/** A new folder with the consumers in it. */
export function freshFolder(name, files = {}) {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  for (const file of ['consumer.mjs', 'consumer.cjs', 'report.cjs'])
    copyFileSync(join(here, 'consumers', file), join(folder, file));
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** The folder `installed` again, under another name, to be broken. */
export function copyOfInstalled(stage, name) {
  const folder = join(scratch, name);
  cpSync(stage.installed, folder, { recursive: true });
  return folder;
}

/** Programs with tools of their own, of pinned versions. */
export const apps = join(here, 'apps');

/** A new folder with the tools of an app, and the tarball. */
export function appFolder({ tarball }, app, name) {
  const folder = freshFolder(name);
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(apps, app, file), join(folder, file));
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], { cwd: folder });
  return folder;
}

/** The repository's tarball, as npm describes it. */
function packRepository() {
  if (!existsSync(join(root, prebuild)))
    throw new Error(`there is no ${prebuild}: run npm run prebuild -- --host first`);
  // The audit that packing runs asks for all platforms unless it is told of those that are there.
  const names = readdirSync(join(root, 'prebuilds'), { withFileTypes: true });
  const there = names.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return run('npm', ['pack', '--json', '--pack-destination', scratch], {
    cwd: root,
    env: { SOFTMAX_PREBUILDS: there.join() },
  });
}

/** The same of what would be packed, with the addon that this machine's compiler built: zig takes minutes. */
function packWithAddon() {
  const folder = join(scratch, 'packed');
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of [
    'package.json',
    'README.md',
    'LICENSE',
    ...files.filter((file) => file !== 'prebuilds'),
  ])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  mkdirSync(dirname(join(folder, prebuild)), { recursive: true });
  copyFileSync(join(root, 'build/Release/softmax_native.node'), join(folder, prebuild));
  return run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', scratch], { cwd: folder });
}

/** Packs the repository and installs the tarball by npm. */
export function pack(isQuick) {
  const parsed = JSON.parse(isQuick ? packWithAddon() : packRepository());
  // npm 12 lists packages by name.
  const [packed] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  const tarball = join(scratch, packed.filename);
  const installed = freshFolder('installed', { 'package.json': '{ "private": true }' });
  run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], { cwd: installed });
  return { tarball, packed, installed };
}
