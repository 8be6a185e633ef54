// Every function of the package, in an environment that has not all of Node's globals. `process` is jest's copy.
const { ENTRY, EXPECTED } = process.env;
const api = require(ENTRY);
const signatures = require('./signatures.json');
/** They take states and settings, which no signature describes. */
const shards = ['partial', 'finishSoftmax', 'finishLogSoftmax', 'finishCrossEntropy'];
const others = [...shards, 'sample', 'gumbelSoftmax'];

const make = ({ inputs, target, result, options, count }) => {
  const [rows, length] = result === 'square' ? [24, 60] : [80, 1000];
  const arrays = inputs.map((_, input) =>
    Float32Array.from({ length: rows * length }, (_, i) => (((i * 7919 + input) % 4001) - 2000) / 400),
  );
  const classes = Int32Array.from({ length: rows }, (_, i) => i % length);
  const takesClasses = target !== 'none' && target !== 'option';
  const all = { shape: [rows, length], ...(options.includes('grad') && { grad: true }) };
  const behind = [...(takesClasses ? [classes] : []), ...(count ? [2] : [])];
  const call = (name, more) => api[name](...arrays, ...behind, { ...all, ...more });
  return { arrays, call };
};

test('the backend', () => {
  expect(api.backend.kind).toBe(EXPECTED);
  const names = Object.keys(api).filter((name) => name.endsWith('Async'));
  const called = [...signatures.map(({ name }) => name), ...others];
  expect(names.sort()).toEqual(called.map((name) => `${name}Async`).sort());
});

describe.each(signatures.map((signature) => [signature.name, signature]))('%s', (name, signature) => {
  const expected = make(signature).call(name);

  test('copying', async () => {
    expect(await make(signature).call(`${name}Async`)).toEqual(expected);
  });

  test('transferring', async () => {
    const { arrays, call } = make(signature);
    const promise = call(`${name}Async`, { transfer: true });
    expect(arrays.map(({ length }) => length)).toEqual(arrays.map(() => 0));
    expect(await promise).toEqual(expected);
  });

  test('aborted', async () => {
    const controller = new AbortController();
    const promise = make(signature).call(`${name}Async`, { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await expect(promise).rejects.toBe(controller.signal.reason);
  });
});
