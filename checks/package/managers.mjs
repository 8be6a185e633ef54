// Package managers and runtimes: the tarball installs without running anything, and native code serves.
import { rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { check, expectEqual, expectMatch } from './checks.mjs';
import { again, consume, expectFallback, expectNative } from './expectations.mjs';
import { bun, copyOfInstalled, deno, freshFolder, prebuild, run, scratch, tool } from './stage.mjs';

const consumers = ['consumer.mjs', 'consumer.cjs'];
const privately = JSON.stringify({ private: true });
const path = (folder) => join(folder, 'node_modules/softmax-native', prebuild);

async function checkConsumers(name, folder, at, options) {
  for (const consumer of consumers)
    await check(`${name}: ${consumer}`, () => expectNative(consume(folder, consumer, options), at));
}

async function npm({ tarball }) {
  const folder = freshFolder('npm', { 'package.json': privately });
  const flags = ['--no-audit', '--no-fund', '--cache', join(scratch, 'npm-cache')];
  await check('npm: no script is run', () => {
    const said = run('npm', ['install', '--foreground-scripts', ...flags, tarball], { cwd: folder });
    expectEqual(said.match(/^> .*$/gm), null);
  });
  await check('npm: installs from a warm cache', () => {
    rmSync(join(folder, 'node_modules'), { recursive: true });
    const start = performance.now();
    run('npm', ['ci', '--ignore-scripts', ...flags], { cwd: folder });
    return `${((performance.now() - start) / 1000).toFixed(1)} s`;
  });
  await checkConsumers('npm', folder, path(folder));
}

async function pnpm({ tarball }) {
  const folder = freshFolder('pnpm', { 'package.json': privately });
  await check('pnpm: installs', () => {
    const args = ['add', '--store-dir', join(scratch, 'pnpm-store'), tarball];
    run(tool('.bin/pnpm'), args, { cwd: folder });
  });
  const store = `node_modules/.pnpm/softmax-native@file+..+softmax-native-0.1.0.tgz/node_modules/softmax-native`;
  await checkConsumers('pnpm', folder, join(folder, store, prebuild));
}

/** Plug'n'Play: no node_modules; packages stay in archives, except those with native code. */
async function yarn({ tarball }) {
  const env = {
    YARN_GLOBAL_FOLDER: join(scratch, 'yarn'),
    YARN_ENABLE_TELEMETRY: '0',
    YARN_ENABLE_IMMUTABLE_INSTALLS: '0',
  };
  const install = (name, meta) => {
    const dependencies = { 'softmax-native': `file:${tarball}` };
    const manifest = JSON.stringify({ private: true, dependencies, dependenciesMeta: meta });
    const folder = freshFolder(name, { 'package.json': manifest, 'yarn.lock': '' });
    run(tool('.bin/yarn'), ['install'], { cwd: folder, env });
    return folder;
  };
  const report = (folder, consumer) =>
    JSON.parse(run(tool('.bin/yarn'), ['node', consumer], { cwd: folder, env }));
  const folder = install('yarn', {});
  for (const consumer of consumers)
    await check(`yarn, Plug'n'Play: ${consumer}`, () => {
      const found = report(folder, consumer);
      expectMatch(
        found.path,
        /\.yarn\/unplugged\/softmax-native-[^/]+\/node_modules\/softmax-native\/prebuilds\//,
      );
      return expectNative(found, found.path);
    });
  const archived = install('yarn-archive', { 'softmax-native': { unplugged: false } });
  for (const consumer of consumers)
    await check(`yarn, kept in an archive: ${consumer}`, () => {
      const found = report(archived, consumer);
      const [reason] = /\S+\.zip.*$/.exec(found.reason) ?? ['not the archive'];
      expectFallback(found, reason, true);
      return reason.replace(/^\S+/, '…');
    });
}

/** Runtimes other than Node say what they miss as Node does. */
async function checkBroken(name, stage, options) {
  const folder = copyOfInstalled(stage, `${name}-broken`);
  const file = path(folder);
  const { size } = statSync(file);
  await check(`${name}: the binary is cut short`, () => {
    truncateSync(file, 1_000_000);
    const happened = `${file} is cut short: 1000000 bytes of ${size}`;
    expectFallback(consume(folder, 'consumer.mjs', options), `${happened}; ${again}`, true);
  });
  await check(`${name}: the binary is missing`, () => {
    rmSync(file);
    const remedy = `was the package copied without its prebuilds? ${again}`;
    expectFallback(consume(folder, 'consumer.cjs', options), `${file} is missing; ${remedy}`, true);
  });
}

async function withBun(stage) {
  const folder = freshFolder('bun', { 'package.json': privately });
  const env = { BUN_INSTALL_CACHE_DIR: join(scratch, 'bun') };
  await check('bun: installs', () => void run(bun, ['add', stage.tarball], { cwd: folder, env }));
  await checkConsumers('bun', folder, path(folder), { program: bun });
  if (process.platform === 'linux') await checkBroken('bun', stage, { program: bun });
}

async function withDeno(stage) {
  const { installed } = stage;
  const env = { DENO_DIR: join(scratch, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
  const options = (...allowed) => ({ program: deno, flags: ['run', '--no-prompt', ...allowed], env });
  const all = ['--allow-env', '--allow-read', '--allow-ffi'];
  await checkConsumers(`deno ${all.join(' ')}`, installed, path(installed), options(...all));
  if (process.platform === 'linux') await checkBroken('deno', stage, options(...all));
  const mayNot = [
    [[], `Deno was not allowed to read ${path(installed)}; run it with --allow-read --allow-ffi`],
    [['--allow-env', '--allow-read'], 'Deno was not allowed to load addons; run it with --allow-ffi'],
  ];
  for (const [allowed, reason] of mayNot)
    await check(`deno ${allowed.join(' ') || 'without permissions'}`, () =>
      expectFallback(consume(installed, 'consumer.mjs', options(...allowed)), reason, false),
    );
}

export async function managers(stage, isQuick) {
  await npm(stage);
  if (isQuick) return;
  await pnpm(stage);
  await yarn(stage);
  await withBun(stage);
  await withDeno(stage);
}
