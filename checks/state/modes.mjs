// What a mode of floating-point arithmetic that another addon has set on this thread does to every function: nothing,
// where native code computes, and the mode stays. Some of every function and type, above and below what is computed by
// several threads, which begin in that mode, and at once or as jobs.
//   node checks/state/modes.mjs [--count OF_EACH_FUNCTION_AND_TYPE] [--seed N] [--package DIRECTORY]

import { signatureOf, takes } from '../../build/signatures.mjs';
import { load, readCommand } from '../async-races/command.mjs';
import { Case, functionNames, isSame } from '../async-races/functions.mjs';
import { Random } from '../async-races/random.mjs';
import { inMode, modes } from './addon.mjs';

const { count, seed, root } = readCommand({ count: 4 });
const api = await load(root);
const random = new Random(seed);
const isNative = api.backend.kind === 'native';
const where = `${api.backend.isa ?? 'JavaScript'}, seed ${seed}`;

/** Numbers whose exponentials, scaled, are denormal numbers now and then, and denormal numbers. */
const values = Float32Array.from({ length: 1 << 18 }, (_, i) =>
  i % 7 === 0 ? 1e-40 * random.unit() : 26 * random.unit() - 13,
);
const scales = { float32: 8, float64: 60, float16: 8, bfloat16: 8 };

const dtypeOf = ({ options, arrays, inputs }) =>
  options.dtype ?? (arrays[inputs[0]] instanceof Float64Array ? 'float64' : 'float32');

/** `count` of every type, of functions and sizes that are wanted. */
function casesOf(name, isSmall) {
  const missing = Object.fromEntries(Object.keys(scales).map((dtype) => [dtype, count]));
  const cases = [];
  while (cases.length < 4 * count) {
    const one = new Case(api, name, random, values, isSmall);
    const dtype = dtypeOf(one);
    if (missing[dtype]-- <= 0) continue;
    if (takes(one.signature, 'scale')) one.options.scale = scales[dtype];
    one.expected = one.twin(one.arrays);
    cases.push(one);
  }
  return cases;
}

/** One row for several threads, of denormal logits that a scale makes count. */
function denormalCase(name) {
  for (;;) {
    const one = new Case(api, name, random, values);
    const { options, arrays } = one;
    if (
      dtypeOf(one) !== 'float32' ||
      options.shape[0] > 1 ||
      arrays.mask ||
      arrays.temperature ||
      arrays.weight
    )
      continue;
    const length = 400_000;
    for (const role of one.inputs) arrays[role] = Float32Array.from({ length }, () => 1e-38 * random.unit());
    Object.assign(options, { shape: [1, length], axis: 1, scale: 1e38 });
    one.expected = one.twin(arrays);
    return one;
  }
}

/**
 * Whether the bits are those of native code alone. Temperatures divide, and losses of rows are summed and scaled, in
 * JavaScript, which rounds as the thread does; of nllLoss there is nothing else. Of a tiny call there may be nothing
 * else, but not where denormal numbers are 0.
 */
function isExact(one, { rounds }) {
  const { signature, options, arrays, isTiny } = one;
  if (!isNative || signature.usesKernels === false) return false;
  if (!rounds) return true;
  if (isTiny) return false;
  // JavaScript rounds what the kernel of divergences gives.
  if (takes(signature, 'alpha') || signature.name === 'klDivergence') return false;
  if (arrays.temperature) return false;
  // Losses of other types are rounded to float32 there.
  const isOfDoubles = options.reduction === 'none' && dtypeOf(one) === 'float64';
  return !takes(signature, 'reduction') || isOfDoubles;
}

/** The tiniest calls, some of which JavaScript computes where no backend is forced (src/backends/tiny.ts). */
function tinyCase(length) {
  const arrays = {
    gradOutput: Float32Array.from({ length }, () => 1e-38 * random.unit()),
    output: new Float32Array(length).fill(0.25),
  };
  const call = ({ gradOutput, output }, _options, fn = api.softmaxBackwardAsync) =>
    fn(gradOutput, output, { out: new Float32Array(length) });
  const twin = (given) => call(given, {}, api.softmaxBackward);
  return {
    name: 'softmaxBackwardAsync',
    signature: signatureOf('softmaxBackward'),
    inputs: ['gradOutput', 'output'],
    options: { shape: [length], axis: 0 },
    function: api.softmaxBackwardAsync,
    synchronous: api.softmaxBackward,
    isTiny: true,
    arrays,
    call,
    twin,
    expected: twin(arrays),
  };
}

const counts = { calls: 0, exact: 0, others: 0, thrown: 0 };

function compare(one, mode, result, how) {
  counts.calls++;
  const same = isSame(result, one.expected);
  if (isExact(one, mode)) {
    counts.exact++;
    const { shape, axis } = one.options;
    const what = `${one.name} ${how}, ${dtypeOf(one)} [${shape}] along ${axis}`;
    if (!same) throw new Error(`${what}: other bits while ${mode.name} (${where})`);
  } else if (!same) {
    counts.others++;
  }
}

/** A call that is refused leaves the mode as well. */
function callWrongly(one, mode) {
  const [first] = one.inputs;
  const wrong = { ...one.arrays, [first]: one.arrays[first].subarray(1) };
  for (const fn of [one.synchronous, one.function]) {
    const error = inMode(mode, () => {
      try {
        const result = one.call(wrong, {}, fn);
        return fn === one.function ? result : undefined;
      } catch (thrown) {
        return thrown;
      }
    });
    if (error === undefined) throw new Error(`${one.name}: wrong lengths were accepted`);
    if (error instanceof Promise)
      error.then(
        () => {},
        () => {},
      );
    counts.thrown++;
  }
}

// The results to expect come of one thread: the others begin in a mode.
api.setThreads(1);
const cases = functionNames.flatMap((name) => [...casesOf(name, true), ...casesOf(name, false)]);
const ofLogits = functionNames.filter((name) => takes(signatureOf(name), 'scale'));
for (let i = 0; i < count; i++) cases.push(...ofLogits.map(denormalCase));
for (let length = 1; length < 12; length++) cases.push(tinyCase(length));
for (const mode of modes) {
  api.setThreads(1);
  await new Promise((done) => setTimeout(done, 20));
  inMode(mode, () => api.setThreads(4));
  for (const one of cases) {
    compare(one, mode, await inMode(mode, () => one.call(one.arrays, {})), 'as a job');
    compare(
      one,
      mode,
      inMode(mode, () => one.twin(one.arrays)),
      'at once',
    );
    callWrongly(one, mode);
  }
}
const { calls, exact, others, thrown } = counts;
console.log(
  `modes: ${calls} calls and ${thrown} refused ones in ${modes.length} modes leave the mode (${where}); ` +
    `${exact} with the bits of the default mode, of ${calls - exact} that JavaScript has a part in ${others} without`,
);
