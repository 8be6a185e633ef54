// Counters in TypeScript sources, by Istanbul. They are put into the files themselves, so that whatever is made of them
// counts alike: the modules as vitest loads them, the package and the command line as they are built.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createInstrumenter } from 'istanbul-lib-instrument';

/**
 * Behind every module, once a process or worker: writes the counts when it exits, before it sends itself a signal, and when
 * it is asked to. A process that may not write counts nothing.
 */
const collector = (directory) => `
globalThis.__softmaxNativeCounts ??= (() => {
  const { writeFileSync } = process.getBuiltinModule('node:fs');
  const { threadId } = process.getBuiltinModule('node:worker_threads');
  const { pid, kill } = process;
  const file = [${JSON.stringify(directory)} + '/' + pid, threadId, process.hrtime.bigint()].join('-') + '.json';
  const write = () => {
    try {
      const counts = Object.values(globalThis.__coverage__).map(({ path, hash, s, f, b }) => ({ path, hash, s, f, b }));
      writeFileSync(file, JSON.stringify(counts));
    } catch {}
  };
  process.on('exit', write);
  process.kill = (id, signal) => {
    if (id === pid) write();
    return kill.call(process, id, signal);
  };
  return write;
})();
`;

const instrumenter = createInstrumenter({
  esModules: true,
  preserveComments: true,
  parserPlugins: ['typescript'],
});

/** In all sources of the package at `stage`. Returns what is counted in each: its map, with counts of 0. */
export function countSources(stage, directory) {
  const maps = [];
  for (const name of readdirSync(`${stage}/src`, { recursive: true })) {
    if (!name.endsWith('.ts')) continue;
    const file = `${stage}/src/${name}`;
    const [, first = '', text] = /^(#!.*\n)?([\s\S]*)$/.exec(readFileSync(file, 'utf8'));
    // Lines stay what they are; a first line of its own would move them.
    const source = first === '' ? text : `//${first.slice(2)}${text}`;
    const counting = instrumenter.instrumentSync(source, `src/${name}`);
    writeFileSync(file, `${first}// @ts-nocheck\n${counting}${collector(directory)}`);
    maps.push({ ...instrumenter.lastFileCoverage(), hash: /var hash="(\w+)"/.exec(counting)[1] });
  }
  return maps;
}
