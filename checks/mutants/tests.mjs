// Runs tests of the copy, and says which of them failed.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { kernelsTest } from './native.mjs';
import { scratch, tree } from './tree.mjs';

const report = `${scratch}report.json`;
const vitest = `${tree}node_modules/vitest/vitest.mjs`;
/** Longer than any single test may take by the suite's own limit. */
const longest = 900_000;

function failuresOf(text) {
  const { testResults } = JSON.parse(text);
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(tree, name);
    const failed = assertionResults.filter((result) => result.status === 'failed');
    if (failed.length > 0) return failed.map(({ fullName }) => `${file}: ${fullName}`);
    return status === 'failed' ? [`${file}: ${message.split('\n')[0]}`] : [];
  });
}

/** What failed first; undefined if nothing did. */
function runVitest(projects, files) {
  rmSync(report, { force: true });
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [
      vitest,
      'run',
      '--bail=1',
      '--reporter=json',
      `--outputFile=${report}`,
      ...projects.flatMap((project) => ['--project', project]),
      ...files,
    ],
    { cwd: tree, encoding: 'utf8', timeout: longest, maxBuffer: 2 ** 28 },
  );
  if (status === 0) return undefined;
  let failures = [];
  try {
    failures = failuresOf(readFileSync(report, 'utf8'));
  } catch {
    // A run that could not even begin, or was ended.
  }
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => /error|exited|crash/i.test(line));
  return failures[0] ?? `the run ended with ${signal ?? status}: ${lines[0]?.trim() ?? 'no word'}`;
}

function runKernelsTest(samples) {
  const { status, signal, stdout } = spawnSync(kernelsTest, samples, { encoding: 'utf8', timeout: longest });
  if (status === 0) return undefined;
  const failed = stdout.split('\n').find((line) => line.startsWith('FAILED'));
  return `kernels_test: ${failed?.trim() ?? `it ended with ${signal ?? status}`}`;
}

export function runTests({ project, files }) {
  return project === 'kernels_test' ? runKernelsTest(files) : runVitest([project], files);
}

/** All that `npm test` and `npm run check kernels` run, in fewer samples. */
export const runAll = () => runVitest([], []) ?? runKernelsTest(['200000']) ?? runKernelsTest([]);
