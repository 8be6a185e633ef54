// Builds build/Release/softmax_native.node with node-gyp.
// With --optional a failure is reported in a few lines and the exit code is 0: the JavaScript backend serves then.
import { spawn } from 'node:child_process';
import { existsSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompileProgress, countFiles } from './compile-progress.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const isOptional = process.argv.includes('--optional');
const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
const binary = `${root}build/Release/softmax_native.node`;

// Headers installed beside node save the download, and fit it by construction.
const nodeDirectory = resolve(dirname(process.execPath), '..');
const hasHeaders = existsSync(`${nodeDirectory}/include/node/node_api.h`);
const options = ['--loglevel=error', ...(hasHeaders ? [`--nodedir=${nodeDirectory}`] : [])];

/** Resolves to all that it printed, and its exit code. Standard output goes to `progress`, too, as it comes. */
async function run(command, more = [], progress = undefined) {
  const child = spawn(process.execPath, [nodeGyp, command, ...options, ...more], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece) => {
      output += piece;
      if (stream === child.stdout) progress?.write(piece);
    });
  const status = await new Promise((done) => {
    child.on('close', done);
    child.on('error', (error) => {
      output += error;
      done(1);
    });
  });
  progress?.end();
  return { status, output: output.trim() };
}

const builtAt = () => (existsSync(binary) ? statSync(binary).mtimeMs : 0);
const before = builtAt();
const start = performance.now();
if (before === 0) console.log('native build: compiling, which takes about three minutes of CPU');
let result = await run('configure');
if (result.status === 0)
  result = await run(
    'build',
    ['--jobs=max'],
    new CompileProgress(countFiles(`${root}build`), process.stdout),
  );
if (result.status === 0) {
  const seconds = Math.round((performance.now() - start) / 1000);
  const what = builtAt() === before ? 'is up to date' : `is built (${seconds} s)`;
  console.log(`native build: build/Release/softmax_native.node ${what}`);
} else {
  // A stale binary would hide the failure.
  rmSync(binary, { force: true });
  const { output } = result;
  const reason = output
    .split('\n')
    .filter((line) => /error|not found|ERR!|Error/.test(line))
    .slice(0, 4);
  console.error(
    isOptional
      ? 'native build: failed; the JavaScript backend, which computes the same bits, will be used.\n(Is a C++17 compiler installed?) Why:'
      : `native build: failed.\n${output}`,
  );
  if (isOptional)
    console.error(
      (reason.length > 0 ? reason : output.split('\n').slice(-4)).map((line) => `  ${line}`).join('\n'),
    );
  process.exitCode = isOptional ? 0 : 1;
}
