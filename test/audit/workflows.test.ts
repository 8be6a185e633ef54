// checks/workflows on faulty workflows.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { lookAt } from '../../checks/workflows/problems.js';
import { newDirectory } from './binaries.js';

const commit = '0123456789abcdef0123456789abcdef01234567';
const sound = `on: push
permissions: {}
jobs:
  test:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    steps:
      - uses: actions/checkout@${commit} # v1.2.3
        with:
          persist-credentials: false
      - run: npm run --silent check lint -- --quick
`;

function directoryOf(...texts: string[]): string {
  const directory = newDirectory();
  mkdirSync(`${directory}/workflows`);
  texts.forEach((text, i) => {
    writeFileSync(`${directory}/workflows/${i}.yml`, text);
  });
  return directory;
}

function check(...texts: string[]): string[] {
  return [...lookAt(directoryOf(...texts)).problems];
}

it('a sound workflow', () => {
  expect(check(sound)).toEqual([]);
});

it.each([
  [[sound], 0, 'workflows: 1 files, 0 problems\n', ''],
  [[], 1, 'workflows: 0 files, 0 problems\n', ''],
  [
    [sound.replace('permissions: {}\n', '')],
    1,
    'workflows: 1 files, 1 problems\n',
    'workflows: 0.yml: has no permissions at its top level\n',
  ],
])('the program: %#', (texts, status, stdout, stderr) => {
  const args = ['--import', 'tsx', 'checks/workflows/main.ts', directoryOf(...texts)];
  expect(spawnSync('node', args, { encoding: 'utf8' })).toMatchObject({ status, stdout, stderr });
});

const expression = '$' + '{{ github.head_ref }}';
const unpinned = 'is not pinned: a commit, and its version as a comment (# v1.2.3)';
it.each([
  ['permissions: {}\n', '', 'has no permissions at its top level'],
  ['permissions: {}', 'permissions: write-all', 'has permissions of all kinds'],
  ['permissions: {}', 'permissions:\n  contents: write', 'may write in all of its jobs'],
  ['    timeout-minutes: 5\n', '', 'job test has no timeout-minutes'],
  [`${commit} # v1.2.3`, 'v4', `actions/checkout@v4 ${unpinned}`],
  [` # v1.2.3`, '', `actions/checkout@${commit} ${unpinned}`],
  [` # v1.2.3`, ' # v1', `actions/checkout@${commit} ${unpinned}`],
  [commit, commit.slice(1), `actions/checkout@${commit.slice(1)} ${unpinned}`],
  ['credentials: false', 'credentials: true', 'actions/checkout without persist-credentials: false'],
  ['check lint', 'chekc lint', 'npm run chekc: there is no such script'],
  ['check lint', 'check lnit', 'npm run check lnit: there is no such check'],
  [
    '-- --quick\n',
    `${expression}\n`,
    `an expression in «npm run --silent check lint ${expression}»: give it by env`,
  ],
  [
    'steps:\n',
    'steps:\n      - uses: ./.github/workflows/no.yml\n',
    './.github/workflows/no.yml does not exist',
  ],
])('%j → %j', (before, after, problem) => {
  expect(sound).toContain(before);
  expect(check(sound.replace(before, after))).toEqual([`0.yml: ${problem}`]);
});

it('what does not parse, and several versions', () => {
  expect(check(sound.replace('on: push', 'on: push\non: pull_request'))).toEqual([
    expect.stringMatching(/^0\.yml: Map keys must be unique/),
  ]);
  expect(check(sound.replace('steps:', 'steps: ['))[0]).toMatch(/^0\.yml: /);
  expect(check(sound, sound.replace(commit, commit.replace('0', '9')))).toEqual([
    'actions/checkout has several versions',
  ]);
});
