// What a consumer's report has to be.
import { realpathSync } from 'node:fs';
import { expectEqual } from './checks.mjs';
import { run } from './stage.mjs';

/** Of the results in consumers/report.cjs: the same bits on every backend, runtime and machine. */
export const hash = 'd51a90b';

/** What to do about a file that is of no use. */
export const again = 'remove softmax-native from node_modules and install it again';

/** Runs a consumer; its report. */
export function consume(folder, file, { program = process.execPath, flags = [], env = {} } = {}) {
  return JSON.parse(run(program, [...flags, file], { cwd: folder, env }));
}

/** Native code from that file, not a word of complaint, the right bits. Returns the file's ISA. */
export function expectNative(report, path) {
  const { isa, reason, ...others } = report;
  if (others.kind !== 'native') throw new Error(`${others.kind} serves: ${reason}`);
  expectEqual({ ...others, path: realpathSync(others.path) }, { kind: 'native', path, warnings: [], hash });
  return isa;
}

/** WebAssembly (or JavaScript, where the package has none of it) for that reason, as one warning or none, the right bits. */
export function expectFallback(report, reason, warns) {
  const full = `the native backend can't be used: ${reason}`;
  const warnings = warns
    ? [
        `SOFTMAX_NATIVE_FALLBACK ${report.kind === 'wasm' ? 'WebAssembly' : 'JavaScript'} serves, same bits but slower: ${reason}`,
      ]
    : [];
  const { isa: _, reason: said, ...others } = report;
  if (!said.startsWith(full)) throw new Error(`the reason is ${said}`);
  expectEqual(others, { kind: said === full ? 'wasm' : 'js', path: null, warnings, hash });
}
