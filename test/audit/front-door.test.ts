// The lists of checks and benchmarks, and the front door that runs them (tools/front-door).

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { benches } from '../../bench/benches.js';
import { groups } from '../../checks/checks.js';
import { argumentsFor, choose, nearest } from '../../tools/front-door/arguments.js';
import { type Build, isStale } from '../../tools/front-door/builds.js';
import { duration, listOf } from '../../tools/front-door/list.js';
import { enter } from '../../tools/front-door/main.js';
import { runSeveral } from '../../tools/front-door/run.js';
import type { Task } from '../../tools/front-door/task.js';
import { newDirectory } from './binaries.js';

const tasks = groups.flatMap((group) => group.tasks);
const taskOf = (name: string) => tasks.find((task) => task.name === name) as Task;

describe('the lists', () => {
  it('have each name once, groups included', () => {
    const names = [...tasks, ...groups].map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  it.each([...tasks, ...benches.tasks])('$name: its files exist', (task) => {
    const words = task.commands(['--quick', '--node', 'node']).flat();
    const files = words.filter((word) => /^(?:checks|bench|tools)\/.*\.\w+$/.test(word));
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
    const sources = (task.builds?.([]) ?? []).flatMap((build) => build.sources);
    expect(sources.filter((source) => !existsSync(source))).toEqual([]);
    expect(task.quickMinutes ?? 0).toBeLessThan(task.minutes);
  });

  it('fit 120 columns, a line for each task at least', () => {
    const lines = listOf('check', groups, []).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(120);
    for (const { name, summary } of tasks)
      expect(lines.filter((line) => line.startsWith(`  ${name} `) && line.includes(summary))).toHaveLength(1);
  });

  it('durations', () => {
    expect([0.05, 1, 1.5, 20, 90, 150, undefined].map(duration)).toEqual([
      ...['3 s', '60 s', '2 min', '20 min', '1.5 h', '2.5 h', '–'],
    ]);
  });
});

describe('names and options', () => {
  it('names first, then what is theirs', () => {
    const { tasks: chosen, args } = choose('check', ['docs', 'mutants', '--only', '07'], groups);
    expect(chosen.map(({ name }) => name)).toEqual(['docs', 'mutants']);
    expect(args).toEqual(['--only', '07']);
    expect(choose('check', ['symbols', 'build-prebuild'], groups).args).toEqual(['build-prebuild']);
    const group = choose('check', ['fast', '--quick'], groups);
    expect(group.group?.name).toBe('fast');
    expect(group.tasks).toEqual(groups[0]?.tasks);
  });

  it.each([
    [['fuz-calls'], 'there is no check fuz-calls; the nearest: fuzz-calls. npm run check lists all'],
    [['fuzz'], 'there is no check fuzz; the nearest: fuzz-calls, fuzz-kernels. npm run check lists all'],
    [['docs', 'linter'], 'there is no check linter; the nearest: lint. npm run check lists all'],
  ])('%j', (words, message) => {
    expect(() => choose('check', words, groups)).toThrow(message);
  });

  it('the nearest two where none is near', () => {
    expect(nearest('abcdefgh', ['zzzzzzzz', 'abczzzzz', 'abzzzzzz'])).toEqual(['abczzzzz', 'abzzzzzz']);
  });

  it('options that a task does not have', () => {
    expect(argumentsFor('check', taskOf('mutants'), ['--quick', '--only', '07'])).toHaveLength(3);
    expect(argumentsFor('check', taskOf('docs'), ['--quick'])).toEqual([]);
    expect(() => argumentsFor('check', taskOf('mutants'), ['--fast'])).toThrow(
      'mutants takes --quick, --only, --named, not --fast. npm run check mutants -- --help',
    );
    expect(() => argumentsFor('check', taskOf('docs'), ['--only', 'a'])).toThrow('docs takes no options');
  });
});

describe('builds', () => {
  const build: Build = { name: 'b', command: [], outputs: ['o', 'p'], sources: ['s', 'f'], debian: [] };

  it('are stale where an output is missing or older than a source', () => {
    const directory = newDirectory();
    const write = (name: string, time: number) => {
      writeFileSync(join(directory, name), '');
      utimesSync(join(directory, name), time, time);
    };
    mkdirSync(join(directory, 's/deep'), { recursive: true });
    write('s/deep/source', 100);
    write('f', 100);
    write('o', 200);
    expect(isStale(build, directory)).toBe(true);
    write('p', 200);
    expect(isStale(build, directory)).toBe(false);
    write('s/deep/source', 201);
    expect(isStale(build, directory)).toBe(true);
    write('o', 202);
    expect(isStale(build, directory)).toBe(true);
    write('p', 202);
    expect(isStale(build, directory)).toBe(false);
    write('f', 203);
    expect(isStale(build, directory)).toBe(true);
  });
});

it('runs several: each build once, and the rest after a failure', async () => {
  const directory = newDirectory();
  const log = join(directory, 'log');
  const append = (word: string, code = 0) => [
    'node',
    '-e',
    `fs.appendFileSync(${JSON.stringify(log)}, '${word} '); console.log('said ${word}'); process.exit(${code})`,
  ];
  const shared: Build = {
    name: 'shared',
    command: append('build'),
    outputs: ['no-such-output'],
    sources: ['package.json'],
    debian: [],
  };
  const task = (name: string, ...commands: string[][]): Task => ({
    name: `test-${name}`,
    summary: name,
    minutes: 1,
    builds: () => [shared],
    commands: () => commands,
  });
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const list = [task('a', append('a', 3), append('never')), task('b', append('b')), task('c', append('c'))];
  const failed = await runSeveral(
    list.map((one) => ({ task: one, args: [] })),
    2,
  );
  const lines = printed.mock.calls.map(([line]) => String(line));
  printed.mockRestore();
  expect(failed).toBe(1);
  const words = readFileSync(log, 'utf8').trim().split(' ');
  expect(words[0]).toBe('build');
  expect(words.slice(1).sort()).toEqual(['a', 'b', 'c']);
  expect(lines).toContain('=== test-a\nsaid build\nsaid a');
  expect(lines.find((line) => line.startsWith('=== test-a:'))).toMatch(/^=== test-a: FAILED \(3\), \d+ s/);
  expect(lines.find((line) => line.startsWith('=== test-b:'))).toMatch(/^=== test-b: passed, \d+ s/);
});

it('counts what passed and failed; quickly only what is quick', async () => {
  const task = (name: string, minutes: number, code: number): Task => ({
    name: `test-${name}`,
    summary: name,
    minutes,
    commands: () => [['node', '-e', `process.exit(${code})`]],
  });
  const group = { name: 'group', summary: '', tasks: [task('a', 1, 0), task('b', 1, 3), task('c', 9, 0)] };
  const ci = { name: 'ci', summary: '', tasks: [task('d', 1, 0), task('e', 9, 0)] };
  const printed = vi.spyOn(console, 'log').mockImplementation(() => {});
  const run = async (...words: string[]) => {
    printed.mockClear();
    const status = await enter({ name: 'check', groups: [group], ci, more: [] }, words);
    const lines = printed.mock.calls.map(([line]) => String(line));
    return [status, lines[0], lines.at(-1)];
  };
  expect(await run('group')).toEqual([1, '--- test-a begins', '2 passed, 1 failed']);
  expect(await run('test-a', 'test-c')).toEqual([0, '--- test-a begins', '2 passed, 0 failed']);
  expect(await run('group', '--quick')).toEqual([
    ...[1, 'check: too long for --quick: test-c', '1 passed, 1 failed'],
  ]);
  expect(await run('ci', '--passed', '1')).toEqual([0, '--- test-d begins', '3 passed, 0 failed']);
  printed.mockRestore();
});

describe('npm run check', () => {
  const check = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'checks/main.ts', ...args], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });

  it('says what is missing where it cannot install it', () => {
    expect(check(['symbols'], { PATH: newDirectory() })).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'check: missing: llvm. On Debian, as root: apt-get install --no-install-recommends llvm\n',
    });
  });

  it('without a name, with one that there is not, with --help', () => {
    expect(check([]).stdout).toMatch(/^npm run check NAME/);
    expect(check(['wrokflows'])).toMatchObject({ status: 2, stdout: '' });
    expect(check(['mutants', '--help']).stdout).toMatch(/^mutants: .*\n(?:.*\n)* {2}--only 07,12 /);
  });
});
