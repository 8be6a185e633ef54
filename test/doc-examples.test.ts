// Every example of the docstrings, of README.md and of docs/ runs, and gives the values in its comments.

import * as api from 'softmax-native';
import * as js from 'softmax-native/js';
import { describe, expect, it } from 'vitest';
import {
  allExamples,
  compile,
  deviation,
  docstringExamples,
  type Example,
  markdownExamples,
} from './helpers/doc-examples.js';
import { Random } from './helpers/random.js';

/** What README.md takes as given: a model that makes logits, the labels of its inputs, and a machine that is fast enough. */
function given(): Record<string, unknown> {
  const random = new Random(1);
  return {
    inputs: undefined,
    model: () => random.normals(64 * 10),
    digits: random.classes(64, 10),
    AbortSignal: { timeout: () => new AbortController().signal },
  };
}

const modules: Record<string, unknown> = { 'softmax-native': api, 'softmax-native/js': js };

/** The statements whose values were compared. */
async function run(example: Example): Promise<string[]> {
  const { body, steps } = compile(example);
  const scope = { ...given(), ...api, load: (name: string) => modules[name] };
  const compared: string[] = [];
  const check = (index: number, actual: unknown) => {
    const { statement, promised } = steps[index] as (typeof steps)[number];
    const found = deviation(actual, promised);
    expect(found, `${example.where}: ${statement}`).toBeUndefined();
    compared.push(statement);
  };
  const AsyncFunction = (async () => {}).constructor as new (
    ...source: string[]
  ) => (...values: unknown[]) => Promise<void>;
  const program = new AsyncFunction(...Object.keys(scope), 'check', body);
  await program(...Object.values(scope), check);
  expect(compared, `${example.where}: a promised value was not reached`).toHaveLength(steps.length);
  return compared;
}

describe('the examples of the documentation', () => {
  const examples = allExamples();
  /** Examples with other packages run where those are installed. */
  const runnable = examples.filter((example) => compile(example).modules.every((name) => name in modules));

  it.each(runnable)('$where', async (example) => {
    await run(example);
  });

  it('every function has one with a value', () => {
    const compared = runnable.flatMap((example) => compile(example).steps.map(({ statement }) => statement));
    const functions = Object.entries(api).filter(([, value]) => typeof value === 'function');
    const missing = functions
      .map(([name]) => name)
      .filter((name) => !compared.some((statement) => new RegExp(`\\b${name}\\(`).test(statement)));
    expect(missing).toEqual([]);
  });
});

describe('an example that is wrong', () => {
  const fails = async (code: string) => {
    await expect(run({ where: 'here', code }), code).rejects.toThrow();
  };

  it('a value that is off by more than half a unit of its last digit, in any place', async () => {
    await run({ where: 'here', code: 'softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2447, 0.6652]' });
    await fails('softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2448, 0.6652]');
    await fails('softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2447]');
    await fails('const p = softmax(new Float32Array([1, 2, 3])); // [0.09, 0.24, 0.68]');
    await fails('const [a, b] = softmax(new Float32Array([1, 2])); a; // 0.2');
    await run({
      where: 'here',
      code: 'const { x, y } = { x: [-1.24, NaN], y: { z: 2 } }; // { x: [-1.2, NaN], y: { z: 2 } }',
    });
    await fails('const { x, y } = { x: [-1.24, NaN], y: { z: 2 } }; // { x: [-1.3, NaN], y: { z: 2 } }');
    await fails('const { x, y } = { x: [-1.24, 0], y: { z: 2 } }; // { x: [-1.2, NaN], y: { z: 2 } }');
    await fails('({ x: 1, y: 2 }); // { x: 1 }');
    await fails('1.0001; // 1');
    await run({ where: 'here', code: 'console.log(1n); // 1' });
    await fails('console.log(1); // 2');
    await fails('[1]; // 1');
    await fails('"a"; // "b"');
  });

  it('code that throws, a name that is not exported, a comment that begins a value and is none', async () => {
    await fails('softmax([1, 2, 3]);');
    await fails("import { softmin } from 'softmax-native'; softmin(new Float32Array(1));");
    await fails('softmax(new Float32Array([1, 2, 3])); // [0.0900, 0.2447,');
  });

  it('is found in its file', () => {
    const docstring = [
      '/**',
      ' * Text.',
      ' *',
      ' * @example',
      ' * f(); // 1',
      ' *',
      ' * @returns x',
      ' */',
    ].join('\n');
    expect(docstringExamples('a.ts', `\n${docstring}`)).toEqual([
      { where: 'a.ts:5', code: '\nf(); // 1\n\n' },
    ]);
    expect(markdownExamples('a.md', 'x\n```js\nf(); // 1\n```\n```sh\nls\n```\n')).toEqual([
      { where: 'a.md:2', code: 'f(); // 1\n' },
    ]);
  });
});
