// Two builds of the prebuilt binaries, in two directories and with two users' caches, are the same bytes.
//   node checks/reproducible.mjs [platform...]   by default linux-x64
// What is built is the repository's tracked files as they are now.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './audit/checksums.mjs';
import { expectedPlatforms, fileName } from './audit/platforms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command, args, directory, environment = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (status === 0) return;
  const reason = `${error ?? ''}${stdout ?? ''}${stderr ?? ''}`.trim().split('\n').slice(-20).join('\n');
  throw new Error(`${command} ${args.join(' ')} failed:\n${reason}`);
}

function copyTracked(directory) {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0');
  for (const file of files.filter((name) => name !== '')) {
    // Not a link, which npm would follow out of here. Undefined: deleted, not yet committed.
    if (!lstatSync(join(root, file), { throwIfNoEntry: false })?.isFile()) continue;
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    copyFileSync(join(root, file), join(directory, file));
  }
}

/** The sum of each platform's binary, built in that directory. */
function build(directory, platforms) {
  copyTracked(directory);
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], directory);
  const cache = { ZIG_GLOBAL_CACHE_DIR: join(directory, 'zig-cache') };
  run('npm', ['run', '--silent', 'prebuild', '--', ...platforms], directory, cache);
  return platforms.map((platform) => sha256(readFileSync(join(directory, 'prebuilds', platform, fileName))));
}

const scratch = mkdtempSync(join(tmpdir(), 'softmax-'));
try {
  const platforms = expectedPlatforms(process.argv.length > 2 ? process.argv.slice(2) : ['linux-x64']);
  const directories = [join(scratch, 'a'), join(scratch, 'a-directory-with-a-longer-name', 'softmax-native')];
  const [first = [], second = []] = directories.map((directory) => build(directory, platforms));
  const differing = platforms.filter((_, i) => first[i] !== second[i]);
  platforms.forEach((platform, i) => {
    console.log(`reproducible: ${platform} ${first[i]}${first[i] === second[i] ? '' : ` and ${second[i]}`}`);
  });
  for (const platform of differing) console.error(`reproducible: ${platform} depends on where it is built`);
  process.exitCode = differing.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`reproducible: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
