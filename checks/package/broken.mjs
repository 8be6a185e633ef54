// The installed binary missing, cut short, of another kind, another processor, another release, or too new for the
// system; and processors without AVX. JavaScript serves with the reason and one warning; no process may end by a signal.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { check, expectEqual, expectMatch, skip } from './checks.mjs';
import { again, consume, expectFallback, expectNative } from './expectations.mjs';
import { copyOfInstalled, platform, prebuild, root, run, scratch } from './stage.mjs';

const isLinux = process.platform === 'linux';

/** Every 64 KiB, around the first pages, and some in between: a truncated file ends the process where its pages are read. */
function lengthsOf(size) {
  const steps = Array.from({ length: Math.ceil(size / 65536) }, (_, i) => 65536 * i);
  const odd = [1, 52, 63, 64, 65, 500, 624, 1023, 1024, 4095, 4096, 4097, 8192, 12288, 12345, size >> 1];
  return [...steps, ...odd, size - 8192, size - 4096, size - 2000, size - 64, size - 1].filter((n) => n >= 0);
}

async function checkTruncation(folder, path, whole, program, lengths) {
  const version = run(program, ['-p', 'process.versions.node']).trim();
  await check(`cut short at each of ${lengths.length} lengths, Node ${version}`, () => {
    for (const length of lengths) {
      writeFileSync(path, whole.subarray(0, length));
      const happened =
        length < 64
          ? `${path} is no addon: cut short or overwritten`
          : `${path} is cut short: ${length} bytes of ${whole.length}`;
      expectFallback(consume(folder, 'consumer.cjs', { program }), `${happened}; ${again}`, true);
    }
  });
}

/** An addon that says it has another interface. */
function otherRelease() {
  const headers = createRequire(import.meta.url)(join(root, 'node_modules/node-api-headers')).include_dir;
  const source = join(scratch, 'other-release.c');
  writeFileSync(
    source,
    `#include <node_api.h>
    NAPI_MODULE_INIT() {
      napi_value version;
      napi_create_uint32(env, 4, &version);
      napi_set_named_property(env, exports, "interfaceVersion", version);
      return exports;
    }`,
  );
  const file = join(scratch, 'other-release.node');
  run('cc', ['-shared', '-fPIC', '-I', headers, '-o', file, source]);
  return readFileSync(file);
}

/** The binary, said to need a glibc that there is not: one of the versions it needs, renamed. */
function tooNew(whole) {
  const changed = Buffer.from(whole);
  for (let at = changed.indexOf('GLIBC_2.'); at >= 0; at = changed.indexOf('GLIBC_2.', at + 1))
    changed.write('9', at + 6);
  return changed;
}

async function checkFiles(folder, path, whole, isQuick) {
  const fails = (name, reason) =>
    check(name, () => {
      for (const consumer of ['consumer.mjs', 'consumer.cjs'])
        if (typeof reason === 'string') expectFallback(consume(folder, consumer), reason, true);
        else {
          const report = consume(folder, consumer);
          expectMatch(report.reason, reason);
          expectFallback(report, report.reason.replace("the native backend can't be used: ", ''), true);
        }
    });
  rmSync(path);
  await fails('missing', `${path} is missing; was the package copied without its prebuilds? ${again}`);
  writeFileSync(
    path,
    'version https://git-lfs.github.com/spec/v1\noid sha256:4665a5ea423c2713\nsize 3734352\n',
  );
  await fails('a text file', `${path} is no addon: cut short or overwritten; ${again}`);
  if (!isLinux) return skip('binaries of other kinds', 'they are made of a Linux one');

  const [machine, other] = process.arch === 'x64' ? [183, 'arm64'] : [62, 'x64'];
  const foreign = Buffer.from(whole);
  foreign.writeUInt16LE(machine, 18);
  writeFileSync(path, foreign);
  const copied = `were its files copied from another machine? ${again}`;
  await fails(`for ${other}`, `${path} is for linux-${other}, and this is ${platform}; ${copied}`);
  writeFileSync(path, tooNew(whole));
  await fails(
    'for a newer glibc',
    /version `GLIBC_9\.[\d.]+' not found .*; it needs glibc 2.28 or later: update the system$/,
  );
  writeFileSync(path, otherRelease());
  await fails('of another release', /: it has interface version 4, not \d+; remove softmax-native/);
  const lengths = lengthsOf(whole.length);
  const chosen = isQuick ? lengths.filter((_, i) => i % 4 === 0) : lengths;
  await checkTruncation(folder, path, whole, process.execPath, chosen);
  if (isQuick) return;
  const newest = run('bash', [join(root, 'tools/get-nodes.sh')])
    .trim()
    .split('\n')
    .at(-1);
  await checkTruncation(folder, path, whole, newest, chosen);
}

async function checkProcessors(folder, path) {
  if (process.arch !== 'x64') return skip('older processors', 'they are x64');
  if (spawnSync('qemu-x86_64', ['--version']).status !== 0)
    return skip('older processors', 'qemu-x86_64 is missing (Debian: qemu-user)');
  const processors = { Nehalem: 'scalar', Haswell: 'avx2' };
  for (const [processor, isa] of Object.entries(processors))
    await check(`on an emulated ${processor}: ${isa}`, () => {
      const options = { program: 'qemu-x86_64', flags: ['-cpu', processor, process.execPath] };
      expectEqual(expectNative(consume(folder, 'consumer.mjs', options), path), isa);
    });
}

export async function broken(stage, isQuick) {
  const folder = copyOfInstalled(stage, 'broken');
  const path = join(folder, 'node_modules/softmax-native', prebuild);
  const whole = readFileSync(path);
  await checkFiles(folder, path, whole, isQuick);
  writeFileSync(path, whole);
  if (!isQuick) await checkProcessors(folder, path);
}
