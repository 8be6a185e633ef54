// How fast WebAssembly and JavaScript are on this page: batches of calls, in turns.

const cases = [
  ['softmax', 64, 1000],
  ['softmax', 1, 128256],
  ['softmax', 1, 10],
  ['softmax', 4096, 10],
  ['crossEntropy', 64, 1000],
];
/** Clocks of pages that are not isolated have steps of 0.1 ms. */
const batchMilliseconds = 10;
const rounds = 25;

function callOf(api, [name, rows, classes]) {
  const shape = [rows, classes];
  const x = Float32Array.from({ length: rows * classes }, (_, i) => ((i * 7919) % 4001) / 200);
  const out = x.slice();
  if (name === 'softmax') return () => api.softmax(x, { shape, out });
  const labels = Int32Array.from({ length: rows }, (_, i) => i % classes);
  return () => api.crossEntropy(x, labels, { shape, grad: out });
}

function timeOf(call, times) {
  const begin = performance.now();
  for (let i = 0; i < times; i++) call();
  return performance.now() - begin;
}

/** So many calls that a batch takes long enough, once the engine has compiled them well. */
function timesOf(call) {
  timeOf(call, 200);
  let times = 1;
  while (Math.min(timeOf(call, times), timeOf(call, times)) < batchMilliseconds) times *= 2;
  return times;
}

function statisticsOf(times) {
  times.sort((a, b) => a - b);
  return { least: times[0], median: times[times.length >> 1] };
}

/** Microseconds of a call. */
export async function race() {
  const apis = [await import('/softmax-native/wasm'), await import('/softmax-native/js')];
  return cases.map((one) => {
    const calls = apis.map((api) => callOf(api, one));
    const times = calls.map(timesOf);
    const batches = calls.map(() => []);
    for (let round = 0; round < rounds; round++)
      for (const [i, call] of calls.entries()) batches[i].push((1000 * timeOf(call, times[i])) / times[i]);
    const [wasm, js] = batches.map(statisticsOf);
    return { name: `${one[0]} ${one[1]}×${one[2]}`, wasm, js };
  });
}
