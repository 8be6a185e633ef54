// Which backend serves, its warnings, and a hash of results. Needs nothing of Node's but `process`.

function fnv(hash, array) {
  let next = hash;
  for (const byte of new Uint8Array(array.buffer)) next = Math.imul(next ^ byte, 0x01000193) >>> 0;
  return next;
}

exports.hashOf = ({ softmax, crossEntropy }) => {
  const [rows, classes] = [8, 1003];
  const shape = [rows, classes];
  const logits = Float32Array.from({ length: rows * classes }, (_, i) => (((i * 7919) % 4001) - 2000) / 100);
  const labels = Int32Array.from({ length: rows }, (_, i) => i * 100);
  const { loss, grad } = crossEntropy(logits, labels, { shape, grad: true });
  const hash = fnv(fnv(fnv(0x811c9dc5, softmax(logits, { shape })), grad), Float64Array.of(Number(loss)));
  return hash.toString(16);
};

/** A promise, since warnings come later. */
exports.reportOf = (api) => {
  const warnings = [];
  process.on('warning', ({ name, code, message }) => {
    if (name === 'SoftmaxNativeWarning') warnings.push(`${code} ${message}`);
  });
  const hash = exports.hashOf(api);
  const { kind, isa, path, reason } = api.backend;
  return new Promise((resolve) => {
    // Deno may need some turns for them.
    const wait = globalThis.Deno ? 100 : 0;
    setTimeout(() => resolve({ kind, isa, path, reason, warnings, hash }), wait);
  });
};

/** Prints it as JSON. */
exports.report = (api) => exports.reportOf(api).then((found) => console.log(JSON.stringify(found)));
