// Makes what the package needs, when npm asks for it (prepare, prepack), and says on standard error what it does:
//   npm pack, npm publish    dist with WebAssembly; then the audit of all prebuilt binaries, without which there is no
//                            package
//   an install of a clone    dist and native code for this machine; where that can't be compiled, JavaScript serves.
//                            A linked clone has it in build; a packed one (git, --install-links) in prebuilds
// npm install and npm ci in the clone itself make nothing: npm test, npm start and the others build what they need.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { npm_command, npm_config_local_prefix, npm_lifecycle_event, npm_package_resolved } = process.env;
const platform = `${process.platform}-${process.arch}`;

const say = (message) => process.stderr.write(`softmax-native: ${message}\n`);
/** What npm told about the run that this one is a part of is not for others that it starts. */
const inherited = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(cache|registry|nodedir))/i.test(name)),
);

/** Standard output is npm's: the name of the tarball. */
function run(failure, program, ...args) {
  const shell = process.platform === 'win32' && program === 'npm';
  const stdio = ['ignore', 2, 2];
  const { status, error } = spawnSync(program, args, { cwd: root, env: inherited, shell, stdio });
  if (status === 0) return;
  say(error ? `${failure}: ${error.message}` : failure);
  process.exit(1);
}

/** The newest of files and folders. */
const newest = (...paths) =>
  Math.max(
    ...paths.flatMap((path) => {
      const { mtimeMs } = statSync(path);
      if (!statSync(path).isDirectory()) return [mtimeMs];
      return [
        mtimeMs,
        ...readdirSync(path, { recursive: true }).map((name) => statSync(join(path, name)).mtimeMs),
      ];
    }),
  );

function isBuilt() {
  const hasWasm = existsSync(join(root, 'build/wasm/simd.wasm'));
  const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const files = JSON.stringify([exports, bin])
    .match(/\.\/dist\/[^"]+/g)
    .map((path) => join(root, path))
    .filter((file) => hasWasm || !file.endsWith('.wasm'));
  if (!files.every((file) => existsSync(file))) return false;
  const sources = [
    'src',
    'package.json',
    'tsconfig.json',
    'tsdown.config.ts',
    ...(hasWasm ? ['build/wasm'] : []),
  ].map((path) => join(root, path));
  return Math.min(...files.map((file) => statSync(file).mtimeMs)) >= newest(...sources);
}

function buildDist() {
  if (isBuilt()) return;
  if (!existsSync(join(root, 'node_modules/tsdown'))) {
    say('installing what the build needs: npm ci');
    run('npm ci failed', 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  }
  say('building dist');
  const tsdown = createRequire(import.meta.url).resolve('tsdown/run');
  run('dist could not be built', process.execPath, tsdown, '--logLevel', 'error');
}

function buildNative() {
  const built = join(root, 'build/Release/softmax_native.node');
  const prebuilt = join(root, 'prebuilds', platform, 'softmax-native.node');
  const isLinked = npm_command === 'link' || npm_package_resolved === 'null';
  // In a clone, build comes before prebuilds.
  if (existsSync(prebuilt) && !(isLinked && existsSync(built))) return;
  run('the native build ended', process.execPath, join(root, 'tools/build-native.mjs'), '--optional');
  if (isLinked || !existsSync(built)) return;
  mkdirSync(dirname(prebuilt), { recursive: true });
  copyFileSync(built, prebuilt);
}

const refusal = 'not packed: the audit says what is wrong with prebuilds (docs/releasing.md)';
const isRelease = npm_command === 'pack' || npm_command === 'publish';
const isInClone =
  npm_command !== 'link' && realpathSync(npm_config_local_prefix ?? root) === realpathSync(root);
if (npm_lifecycle_event !== 'prepare' || !isInClone) {
  // Users get it built; who installs a clone has native code instead.
  if (isRelease)
    run('the WebAssembly build ended', process.execPath, join(root, 'tools/build-wasm.mjs'), '--optional');
  buildDist();
  if (isRelease) run(refusal, process.execPath, join(root, 'checks/audit/main.mjs'));
  else buildNative();
}
