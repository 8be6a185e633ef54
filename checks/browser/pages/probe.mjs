// What a page's main thread or worker finds out: the backend that serves, the hashes of the corpus, and whether the
// asynchronous twins give what the synchronous functions do.
import { corpusHashes } from '/test/helpers/corpus.mjs';

/** A module with f32x4.relaxed_madd is refused, as by an engine that has no relaxed SIMD. */
function hideRelaxedSimd() {
  WebAssembly.validate = () => false;
}

/** The corpus' hashes are promises here (crypto.mjs). */
async function hashesOf(api) {
  const entries = Object.entries(corpusHashes(api));
  return Object.fromEntries(await Promise.all(entries.map(async ([name, hash]) => [name, await hash])));
}

/** With where it came from, which not every engine says with what it says. */
export const textOf = (error) => `${error}\n${error?.stack?.replace(`${error}\n`, '')}`;

const [rows, classes] = [64, 1000];
const shape = [rows, classes];
const floats = (step) => Float32Array.from({ length: rows * classes }, (_, i) => ((i * step) % 4001) / 200);
const square = (x) => x.subarray(0, 200);

/** Arguments of every function that has an asynchronous twin: enough elements for it to yield. */
function argumentsOf(api) {
  const [x, y] = [floats(7919), floats(104729)];
  const labels = Int32Array.from({ length: rows }, (_, i) => (i * 37) % classes);
  const p = api.softmax(x, { shape });
  const logP = api.logSoftmax(x, { shape });
  const state = api.partial(x, { shape, target: labels });
  return {
    softmax: [x, { shape }],
    logSoftmax: [x, { shape, temperature: 0.7 }],
    logSumExp: [x, { shape }],
    entropy: [x, { shape }],
    klDivergence: [x, y, { shape }],
    argMax: [x, { shape }],
    topK: [x, 5, { shape }],
    tokenLogProbs: [x, labels, { shape, top: 3 }],
    sample: [x, { shape, seed: 7, topP: 0.9 }],
    gumbelSoftmax: [x, { shape, seed: 7 }],
    softmaxBackward: [y, p, { shape }],
    logSoftmaxBackward: [y, logP, { shape }],
    softmaxJacobian: [square(p), {}],
    crossEntropy: [x, labels, { shape, grad: true, labelSmoothing: 0.1 }],
    nllLoss: [logP, labels, { shape, grad: true }],
    distillationLoss: [x, y, { shape, temperature: 2, grad: true }],
    partial: [x, { shape, target: labels }],
    finishSoftmax: [x, state, { shape }],
    finishLogSoftmax: [x, state, { shape }],
    finishCrossEntropy: [x, labels, state, { shape, grad: true }],
  };
}

/** Whether two results have the same bytes in the same places. */
function isSame(a, b) {
  if (!ArrayBuffer.isView(a)) {
    if (typeof a !== 'object' || a === null) return Object.is(a, b);
    const keys = Object.keys(a);
    return keys.join() === Object.keys(b).join() && keys.every((key) => isSame(a[key], b[key]));
  }
  const [left, right] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return (
    a.constructor === b.constructor && left.length === right.length && left.every((x, i) => x === right[i])
  );
}

/** Names of the twins that give something else, or that there are no arguments for; and what abort and transfer do wrong. */
async function wrongTwins(api) {
  const given = argumentsOf(api);
  const twins = Object.keys(api).filter((name) => name.endsWith('Async'));
  const wrong = [];
  for (const twin of twins) {
    const name = twin.replace('Async', '');
    if (given[name] === undefined) wrong.push(`${twin}: no arguments`);
    else if (!isSame(await api[twin](...given[name]), api[name](...given[name]))) wrong.push(twin);
  }
  if (twins.length < 16) wrong.push(`${twins.length} twins`);

  const signal = AbortSignal.abort('enough');
  const said = await api.softmaxAsync(given.softmax[0], { shape, signal }).catch((error) => error);
  if (said !== 'enough') wrong.push(`abort: ${said}`);
  const moved = floats(7919);
  await api.softmaxAsync(moved, { shape, transfer: true });
  if (moved.length !== 0) wrong.push('transfer');
  return { twins: twins.length, wrong };
}

export async function probe({ entry, lacks }) {
  if (lacks === 'relaxed SIMD') hideRelaxedSimd();
  const api = await import(`/softmax-native/${entry}`);
  const { kind, isa: served, reason } = api.backend;
  const later = entry === 'wasm' ? await api.init() : api.backend;
  return {
    ...{ kind, isa: served, reason },
    after: { kind: later.kind, reason: later.reason },
    isIsolated: globalThis.crossOriginIsolated,
    hashes: await hashesOf(api),
    ...(await wrongTwins(api)),
  };
}
