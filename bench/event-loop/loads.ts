// Loads of an event loop: calls one after another, as a server makes them for its requests.

import { crossEntropy, crossEntropyAsync, softmax, softmaxAsync } from 'softmax-native';

export interface Load {
  readonly name: string;
  /** Calls that are in flight at a time. */
  readonly width: number;
  /** A call, by one of them. */
  call(lane: number): unknown;
}

type Memory = 'copied' | 'shared' | 'transferred';

const width = 4;

function logitsOf(elements: number, memory: Memory): Float32Array[] {
  return Array.from({ length: width }, (_, lane) => {
    const bytes = 4 * elements;
    const logits = new Float32Array(
      memory === 'shared' ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes),
    );
    for (let i = 0; i < elements; i++) logits[i] = 8 * Math.sin(i * 0.7 + lane);
    return logits;
  });
}

/** What is transferred is what the call before came to. */
function softmaxLoad(rows: number, columns: number, memory: Memory): Load {
  const logits = logitsOf(rows * columns, memory);
  const options = { shape: [rows, columns], transfer: memory === 'transferred' };
  return {
    name: `async, ${memory}`,
    width,
    async call(lane) {
      const p = await softmaxAsync(logits[lane] as Float32Array, options);
      if (memory === 'transferred') logits[lane] = p;
    },
  };
}

function softmaxOutLoad(rows: number, columns: number): Load {
  const logits = logitsOf(rows * columns, 'copied');
  const outs = logitsOf(rows * columns, 'copied');
  const call = (lane: number) =>
    softmaxAsync(logits[lane] as Float32Array, { shape: [rows, columns], out: outs[lane] as Float32Array });
  return { name: 'async, copied, with out', width, call };
}

function crossEntropyOutLoad(rows: number, columns: number): Load {
  const logits = logitsOf(rows * columns, 'copied');
  const grads = logitsOf(rows * columns, 'copied');
  const labels = labelsOf(rows, columns);
  const call = (lane: number) => {
    const options = { shape: [rows, columns], grad: grads[lane] as Float32Array };
    return crossEntropyAsync(logits[lane] as Float32Array, labels, options);
  };
  return { name: 'async, copied, with grad', width, call };
}

function labelsOf(rows: number, columns: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => (row * 7919) % columns);
}

function crossEntropyLoad(rows: number, columns: number, memory: Memory): Load {
  const logits = logitsOf(rows * columns, memory);
  const labels = labelsOf(rows, columns);
  const options = { shape: [rows, columns], grad: true, transfer: memory === 'transferred' } as const;
  return {
    name: `async, ${memory}`,
    width,
    async call(lane) {
      const { grad } = await crossEntropyAsync(logits[lane] as Float32Array, labels, options);
      if (memory === 'transferred') logits[lane] = grad;
    },
  };
}

function lossLoad(rows: number, columns: number): Load {
  const logits = logitsOf(rows * columns, 'shared');
  const labels = labelsOf(rows, columns);
  const call = (lane: number) =>
    crossEntropyAsync(logits[lane] as Float32Array, labels, { shape: [rows, columns] });
  return { name: 'async, shared, no gradient', width, call };
}

function syncSoftmax(rows: number, columns: number): Load {
  const [logits = new Float32Array()] = logitsOf(rows * columns, 'copied');
  const out = new Float32Array(rows * columns);
  return { name: 'sync, with out', width: 1, call: () => softmax(logits, { shape: [rows, columns], out }) };
}

function syncCrossEntropy(rows: number, columns: number): Load {
  const [logits = new Float32Array()] = logitsOf(rows * columns, 'copied');
  const grad = new Float32Array(rows * columns);
  const labels = labelsOf(rows, columns);
  const options = { shape: [rows, columns], grad };
  return { name: 'sync, with grad', width: 1, call: () => crossEntropy(logits, labels, options) };
}

const memories: readonly Memory[] = ['transferred', 'shared', 'copied'];

/** Each begins when it is asked for: a load's memory would be in the caches of another. */
export const loads: readonly { readonly title: string; readonly open: readonly (() => Load)[] }[] = [
  {
    title: 'softmax of 1024×1024, float32',
    open: [
      () => syncSoftmax(1024, 1024),
      ...memories.map((memory) => () => softmaxLoad(1024, 1024, memory)),
      () => softmaxOutLoad(1024, 1024),
    ],
  },
  {
    title: 'crossEntropy with gradient of 32×128256, float32',
    open: [
      () => syncCrossEntropy(32, 128256),
      ...memories.map((memory) => () => crossEntropyLoad(32, 128256, memory)),
      () => crossEntropyOutLoad(32, 128256),
      () => lossLoad(32, 128256),
    ],
  },
];

/** Keeps a load up until `stop` is called. Others have a turn between two calls. */
export function begin(load: Load): { calls(): number; stop(): Promise<unknown> } {
  let isOver = false;
  let calls = 0;
  const run = async (lane: number): Promise<void> => {
    while (!isOver) {
      await load.call(lane);
      calls++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const lanes = Array.from({ length: load.width }, (_, lane) => run(lane));
  return {
    calls: () => calls,
    stop() {
      isOver = true;
      return Promise.all(lanes);
    },
  };
}
