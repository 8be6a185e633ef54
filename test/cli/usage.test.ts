// Words of the command line, and the commands without files.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getThreads } from 'softmax-native';
import { build } from 'tsdown';
import { describe, expect, it } from 'vitest';
import tsdownConfig from '../../tsdown.config.js';
import { cli, cliPath, environment } from '../helpers/npy.js';
import { otherTier } from '../helpers/processes.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const binary = join(root, 'build/Release/softmax_native.node');
const { supported } = createRequire(import.meta.url)(binary) as { supported: string[] };

function expectUsageError(words: readonly string[], message: string, command = ''): void {
  const help = ['softmax-native', ...(command === '' ? [] : [command]), '--help'].join(' ');
  expect(cli(words)).toEqual({
    status: 2,
    stdout: '',
    stderr: `softmax-native: ${message} (see ${help})\n`,
  });
}

describe('usage errors', () => {
  it('of the program', () => {
    expectUsageError([], 'a command is missing');
    expectUsageError(['sort'], "unknown command 'sort'");
    expectUsageError(['toString'], "unknown command 'toString'");
    expectUsageError(['--fast'], "unknown option '--fast'");
    expectUsageError(['aply'], "unknown command 'aply'; did you mean apply?");
    expectUsageError(['--versoin'], "unknown option '--versoin'; did you mean --version?");
  });

  it('of its commands', () => {
    expectUsageError(['info', 'x'], "info takes no argument 'x'", 'info');
    expectUsageError(['info', '--xml'], "Unknown option '--xml'", 'info');
    expectUsageError(['bench', '--quick'], "Unknown option '--quick'", 'bench');
    expectUsageError(['info', '--json=1'], "Option '--json' does not take an argument", 'info');
  });

  it.each([
    [[], 'FILE is missing'],
    [['a.npy', 'b.npy'], "one FILE is expected, got 'b.npy' too"],
    [['-', 'b.npy'], "one FILE is expected, got 'b.npy' too"],
    [['a.npy', '--dtype', 'f4'], "--dtype must be bfloat16, got 'f4': files name other dtypes themselves"],
    [['a.npy', '--output='], '--output is empty'],
    [['a.npy', '--function', 'relu'], "--function must be softmax or log-softmax, got 'relu'"],
    [['a.npy', '--axis', 'x'], "--axis must be an integer, got 'x'"],
    [['a.npy', '--axis', '1.5'], "--axis must be an integer, got '1.5'"],
    [['a.npy', '--axis='], "--axis must be an integer, got ''"],
    [['a.npy', '--temperature', '-1'], "--temperature must be a number of at least 0, got '-1'"],
    [['a.npy', '--temperature', 'hot'], "--temperature must be a number of at least 0, got 'hot'"],
    [['a.npy', '--memory', '0'], "--memory must be a number of MiB in [0.001, 2048], got '0'"],
    [['a.npy', '--memory', '4G'], "--memory must be a number of MiB in [0.001, 2048], got '4G'"],
    [['a.npy', '--dim', '1'], "Unknown option '--dim'"],
    [['a.npy', '--ouput', 'b'], "Unknown option '--ouput'; did you mean --output?"],
    [['a.npy', '--temp=2'], "Unknown option '--temp'; did you mean --temperature?"],
    [['a.npy', '-f'], "Unknown option '-f'"],
    [['a.npy', '--axis'], "Option '--axis <value>' argument missing"],
  ])('apply %j', (words, message) => expectUsageError(['apply', ...words], message, 'apply'));
});

describe('help and version', () => {
  it('--version', () => {
    for (const word of ['--version', '-v'])
      expect(cli([word])).toEqual({ status: 0, stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('--help', () => {
    const { status, stdout, stderr } = cli(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const command of ['apply', 'eval', 'bench', 'info']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
      const own = cli([command, '--help']);
      expect(own).toMatchObject({ status: 0, stderr: '' });
      expect(own.stdout).toMatch(new RegExp(`^Usage: softmax-native ${command}`));
      expect(cli(['help', command]).stdout).toBe(own.stdout);
    }
    expect(cli(['help']).stdout).toBe(stdout);
    for (const word of ['sort', 'constructor'])
      expect(cli(['help', word])).toEqual({
        status: 2,
        stdout: '',
        stderr: `softmax-native: unknown command '${word}' (see softmax-native --help)\n`,
      });
  });

  it('docs/cli.md has the same texts', () => {
    const page = readFileSync(join(root, 'docs/cli.md'), 'utf8');
    for (const words of [
      ['apply', '--help'],
      ['topk', '--help'],
      ['sample', '--help'],
      ['eval', '--help'],
      ['bench', '--help'],
      ['info', '--help'],
    ])
      expect(page).toContain(cli(words).stdout);
  });
});

describe('info', () => {
  const told = (env: Record<string, string> = {}) => JSON.parse(cli(['info', '--json'], env).stdout);

  it('on native code', () => {
    expect(told()).toMatchObject({
      version: manifest.version,
      backend: { kind: 'native', isa: supported[0], path: binary },
      // The command is started without the variables that this process has.
      threads: process.env.SOFTMAX_THREADS ? expect.any(Number) : getThreads(),
      node: process.versions.node,
      platform: process.platform,
      arch: process.arch,
      simd: supported,
      advice: null,
    });
    const { status, stdout, stderr } = cli(['info']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`native, ${supported[0]}`);
    expect(stdout).not.toContain('JavaScript');
  });

  it('on JavaScript: why, and what to do', () => {
    const env = { SOFTMAX_BACKEND: 'js' };
    expect(told(env)).toMatchObject({
      backend: { kind: 'js', isa: null, path: null },
      threads: 1,
      advice: 'unset SOFTMAX_BACKEND',
    });
    const { status, stdout } = cli(['info'], env);
    expect(status).toBe(0);
    const line = 'JavaScript serves: forced by SOFTMAX_BACKEND=js. For native code unset SOFTMAX_BACKEND.\n';
    expect(stdout.endsWith(line)).toBe(true);
  });

  it('without native code for another reason, which says itself what to do', () => {
    const env = { NODE_OPTIONS: '--no-addons' };
    const reason = "the native backend can't be used: addons are disabled by --no-addons; run without it";
    const { backend, advice } = told(env) as { backend: { kind: string; reason: string }; advice: null };
    expect([backend.kind, advice]).toEqual([otherTier, null]);
    expect(backend.reason).toContain(reason);
    const { stdout } = cli(['info'], env);
    expect(stdout.split(reason)).toHaveLength(2);
    expect(stdout).not.toContain('For native code');
  });

  it('a choice that does not exist', () => {
    const message = 'softmax-native: SOFTMAX_BACKEND="gpu" is none of auto, native, wasm, js\n';
    expect(cli(['info'], { SOFTMAX_BACKEND: 'gpu' })).toEqual({ status: 1, stdout: '', stderr: message });
  });

  it('colours on request alone', () => {
    expect(cli(['info']).stdout).not.toContain('\x1b');
  });
});

describe('bench', () => {
  const table = (shape: string) => new RegExp(`^ +${shape}(?: +[\\d.]+ [µm]s){3} +[\\d.]+×$`, 'm');

  function expectTable(stdout: string): void {
    const [, titles, ...rows] = stdout.trimEnd().split('\n');
    expect(titles?.trim()).toMatch(/^float32 +softmax +plain loop +memory copy +speed-up$/);
    for (const shape of ['1×10', '1×1000', '64×1000', '1×128256', '4096×10'])
      expect(stdout).toMatch(table(shape));
    expect(rows).toHaveLength(5);
  }

  it('native code: which, on how many threads', () => {
    const { status, stdout, stderr } = cli(['bench'], { SOFTMAX_THREADS: '3' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const start = `softmax-native ${manifest.version}: native ${supported[0]}, 3 threads; Node `;
    expect(stdout.startsWith(start)).toBe(true);
    expectTable(stdout);
  });

  it('JavaScript, and why', () => {
    const { status, stdout } = cli(['bench'], { SOFTMAX_BACKEND: 'js' });
    expect(status).toBe(0);
    expect(stdout).toContain(': JavaScript (forced by SOFTMAX_BACKEND=js), 1 thread; Node ');
    expectTable(stdout);
  });
});

it('info of a package without a binary says what to do', () => {
  const directory = mkdtempSync(join(tmpdir(), 'softmax-cli-'));
  try {
    cpSync(join(root, 'dist'), join(directory, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(directory, 'package.json'));
    const words = [join(directory, 'dist/cli.mjs'), 'info'];
    const { stdout } = spawnSync(process.execPath, words, { encoding: 'utf8', env: environment() });
    expect(stdout).toContain('remove softmax-native from node_modules and install it again');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** The program as it is bundled, with the comments that say what each part is from. */
async function commentedProgram(): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'softmax-native-'));
  try {
    const config = tsdownConfig.find(({ entry }) => typeof entry === 'object' && 'cli' in entry);
    await build({ ...config, config: false, cwd: root, minify: false, outDir });
    return readFileSync(join(outDir, 'cli.mjs'), 'utf8');
  } finally {
    rmSync(outDir, { recursive: true });
  }
}

describe('the package', () => {
  it('has the program, which is one file beside the package it imports', () => {
    expect(manifest.bin).toEqual({ 'softmax-native': './dist/cli.mjs' });
    const source = readFileSync(cliPath, 'utf8');
    expect(source.startsWith('#!/usr/bin/env node\n')).toBe(true);
    const imported = new Set(
      [...source.matchAll(/(?:\bfrom|\bimport\(|\bimport) ?["`]([^"`]+)["`]/g)].map(([, name]) => name),
    );
    const foreign = [...imported].filter((name) => !name?.startsWith('node:')).sort();
    expect(foreign).toEqual(['softmax-native']);
  });

  it('has the licences of what the program and the binaries contain', async () => {
    const source = await commentedProgram();
    // No second copy of the kernels.
    expect(source).toContain('//#region src/cli/main.ts');
    expect(source).not.toContain('//#region src/backends/js/kernels.ts');
    const bundled = new Set(
      [...source.matchAll(/^\/\/#region (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/gm)].map(
        ([, name]) => name as string,
      ),
    );
    expect(bundled.size).toBeGreaterThan(0);
    bundled.add('node-addon-api');
    const notices = readFileSync(join(root, 'THIRD-PARTY-NOTICES'), 'utf8');
    const named = [...notices.matchAll(/^## (\S+) \S+$/gm)].map(([, name]) => name as string);
    expect(named).toEqual([...bundled].sort());
    for (const name of bundled) {
      const folder = join(root, 'node_modules', name);
      const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      expect(notices).toContain(`## ${name} ${version}\n`);
      const file = ['LICENSE.md', 'license', 'LICENSE-MIT.txt', 'LICENSE'].find((one) =>
        existsSync(join(folder, one)),
      );
      expect(notices).toContain(readFileSync(join(folder, file as string), 'utf8').trim());
    }
    expect(manifest.files).toContain('THIRD-PARTY-NOTICES');
  });
});
