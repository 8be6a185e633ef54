// Runs of the command line, one after the other in this process, which costs a tenth of a process for each: for tests of
// what it computes. Its words as JSON come on standard input; what came of each run goes to standard output as JSON.
//   node cli-runs.mjs dist/cli.mjs
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [node, , path] = process.argv;
const runs = JSON.parse(readFileSync(0, 'utf8'));
const outcomes = [];
const own = new Set(process.listeners('uncaughtException'));

// Whatever ends this process: a run that ended it has no outcome.
process.once('exit', () => {
  writeSync(1, JSON.stringify(outcomes));
});
for (const [i, words] of runs.entries()) {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'])
    process[name].write = (text) => {
      said[name] += text;
      return true;
    };
  process.argv = [node, path, ...words];
  process.exitCode = 0;
  // Another address: the module runs again. The package that it imports is loaded once.
  await import(`${pathToFileURL(path)}?run=${i}`);
  outcomes.push({ status: process.exitCode, ...said });
  for (const listener of process.listeners('uncaughtException'))
    if (!own.has(listener)) process.off('uncaughtException', listener);
}
process.exitCode = 0;
