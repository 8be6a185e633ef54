// What a caller may do to its memory while a call is under way, and what the call must do then. Each race begins a call
// and returns a promise that rejects if the call did anything else.

import { bytesOf, isSame } from './functions.mjs';

const hasTransfer = typeof ArrayBuffer.prototype.transfer === 'function';

export class Race {
  constructor(theCase, random, sink) {
    this.case = theCase;
    this.random = random;
    this.sink = sink;
  }

  /** The case's arrays, each in memory that `place` makes. `only`: some of the roles. */
  placed(place, only = Object.keys(this.case.arrays)) {
    const arrays = { ...this.case.arrays };
    for (const role of only) arrays[role] = place(arrays[role], this.random);
    return arrays;
  }

  /** Arrays for the results, that do not hold them yet. */
  outputs(place) {
    const like = this.case.outputs.map((key) => [key, this.case.expectedOf(key)]);
    return Object.fromEntries(
      like.map(([key, array]) => [
        key,
        place(new array.constructor(array.length).fill(this.random.integer(100)), this.random),
      ]),
    );
  }

  begin(arrays, options = {}) {
    const promise = this.case.call(arrays, options);
    // Some microtasks later a call that was computed at once has settled, and a posted one has not.
    this.isPosted = true;
    const settle = () => {
      this.isPosted &&= this.isLate === true;
    };
    promise.then(settle, settle);
    let turns = 0;
    const look = () => {
      if (++turns > 4) this.isLate = true;
      else queueMicrotask(look);
    };
    queueMicrotask(look);
    return promise;
  }

  async expectResult(promise) {
    const result = await promise;
    if (!isSame(result, this.case.expected)) throw new Error('other bits than the synchronous twin');
    return 'resolved';
  }

  /** The result, or an error of one of these codes. */
  async expectResultOr(codes, promise) {
    try {
      return await this.expectResult(promise);
    } catch (error) {
      if (!codes.includes(error?.code)) throw error;
      return error.code;
    }
  }

  async expectError(codes, promise) {
    let result;
    try {
      result = await promise;
    } catch (error) {
      if (codes.includes(error?.code)) return error.code;
      throw error;
    }
    throw new Error(`resolved with ${typeof result}, not rejected with ${codes}`);
  }

  /** Now, or somewhat later. */
  soon(action) {
    const when = this.random.integer(5);
    if (when === 0) action();
    else if (when === 1) queueMicrotask(action);
    else if (when === 2) setImmediate(action);
    else if (when === 3) setTimeout(action, this.random.integer(3));
    else {
      const end = performance.now() + this.random.unit() / 5;
      while (performance.now() < end);
      action();
    }
  }
}

const copyIn = (array, buffer, byteOffset = 0) => {
  const copy = new array.constructor(buffer, byteOffset, array.length);
  copy.set(array);
  return copy;
};
const plain = (array) => array.slice();
const resizable = (array, random) => {
  const buffer = new ArrayBuffer(array.byteLength, { maxByteLength: 2 * array.byteLength + 64 });
  const tracking = new array.constructor(buffer);
  tracking.set(array);
  return random.chance(0.5) ? tracking : copyIn(array, buffer);
};
const growable = (array) =>
  copyIn(array, new SharedArrayBuffer(array.byteLength, { maxByteLength: 2 * array.byteLength + 64 }));
/** Several arrays in one buffer, one after the other, with something before and after. */
const inOneBuffer = (arrays) => {
  const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 64);
  const buffer = new ArrayBuffer(bytes);
  let offset = 32;
  return arrays.map((array) => {
    const copy = copyIn(array, buffer, offset);
    offset += array.byteLength;
    return copy;
  });
};

const detach = ({ buffer }) => structuredClone(buffer, { transfer: [buffer] });
const give = (sink, { buffer }) => sink.postMessage(buffer, [buffer]);
const move = ({ buffer }, random) => {
  const bytes = random.pick([0, 8 * random.integer(100), buffer.byteLength, 2 * buffer.byteLength]);
  const moved = random.chance(0.5) ? buffer.transfer(bytes) : buffer.transferToFixedLength(bytes);
  new Uint8Array(moved).fill(0xff);
};
const shrink = ({ buffer }, random) =>
  buffer.resize(random.pick([0, 8 * random.integer(Math.floor(buffer.byteLength / 8))]));
const shrinkAndGrow = (view, random) => {
  const { byteLength } = view.buffer;
  shrink(view, random);
  view.buffer.resize(byteLength);
};
const grow = ({ buffer }, random) => {
  while (buffer.byteLength + 8 <= buffer.maxByteLength && random.chance(0.9))
    buffer.grow(Math.min(buffer.maxByteLength, buffer.byteLength + 8 * (1 + random.integer(500))));
};

const onInputs = (place, act) => (race) => {
  const arrays = race.placed(place);
  const promise = race.begin(arrays);
  for (const role of Object.keys(arrays)) act(arrays[role], race);
  return race.expectResult(promise);
};
/** Inputs in shared memory stay as they are. */
const onSharedInputs = (act) => async (race) => {
  const arrays = race.placed(growable, race.case.inputs);
  const promise = race.begin(arrays, race.random.chance(0.5) ? { transfer: true } : {});
  for (const role of race.case.inputs) act(arrays[role], race);
  const outcome = await race.expectResult(promise);
  if (!isSame(arrays, race.case.arrays)) throw new Error('a shared input was written');
  return outcome;
};
const gone = ['ERR_DETACHED', 'ERR_SHAPE'];
/** Acts on the array of a result at once: the call must notice. */
const onOutput = (place, act, codes) => (race) => {
  const outputs = race.outputs(place);
  const promise = race.begin(race.placed(plain), outputs);
  act(race.random.pick(Object.values(outputs)), race);
  return race.expectError(codes, promise);
};

/** An aborted call rejects with the reason itself, and writes nothing any more. */
async function abortAtRandom(race, options, arrays, outputs = {}) {
  const controller = new AbortController();
  const before = Object.values(outputs).map((output) => Buffer.from(bytesOf(output)));
  const promise = race.begin(arrays, { ...options, ...outputs, signal: controller.signal });
  const reason = race.random.pick([new Error('enough'), { any: 'object' }, 'a string', 0]);
  race.soon(() => controller.abort(reason));
  try {
    return await race.expectResult(promise);
  } catch (error) {
    if (error !== reason) throw error;
  }
  await new Promise((done) => setTimeout(done, race.random.integer(4)));
  if (!Object.values(outputs).every((output, i) => before[i].equals(bytesOf(output))))
    throw new Error('an aborted call has written');
  return 'aborted';
}

/** Inputs of one buffer are given up, and are so before the call returns. */
function transferOne(race, options = {}) {
  const roles = race.case.inputs;
  const views = inOneBuffer(roles.map((role) => race.case.arrays[role]));
  const arrays = { ...race.placed(plain), ...Object.fromEntries(roles.map((role, i) => [role, views[i]])) };
  const promise = race.begin(arrays, { ...options, transfer: true });
  if (views.some(({ length }) => length > 0)) throw new Error('transfer: true did not detach');
  return promise;
}

export const races = {
  'inputs: structuredClone': onInputs(plain, detach),
  'inputs: postMessage': onInputs(plain, (view, { sink }) => give(sink, view)),
  ...(hasTransfer && {
    'inputs: ArrayBuffer.transfer': onInputs(plain, (view, { random }) => move(view, random)),
  }),
  'inputs: shrink': onInputs(resizable, (view, { random }) => shrink(view, random)),
  'inputs: shrink and grow': onInputs(resizable, (view, { random }) => shrinkAndGrow(view, random)),
  'inputs: overwritten': onInputs(plain, (view) => bytesOf(view).fill(0xff)),
  'inputs: growable shared grows': onSharedInputs((view, { random }) => grow(view, random)),
  'inputs: growable shared grows elsewhere': onSharedInputs(({ buffer }, { sink }) =>
    sink.postMessage(buffer),
  ),
  'output: structuredClone': onOutput(plain, detach, gone),
  'output: postMessage': onOutput(plain, (view, { sink }) => give(sink, view), gone),
  ...(hasTransfer && {
    'output: ArrayBuffer.transfer': onOutput(plain, (view, { random }) => move(view, random), gone),
  }),
  'output: shrink': onOutput(resizable, (view, { random }) => shrink(view, random), gone),
  'output: shrink and grow': (race) => {
    const outputs = race.outputs(resizable);
    const promise = race.begin(race.placed(plain), outputs);
    for (const output of Object.values(outputs)) shrinkAndGrow(output, race.random);
    return race.expectResult(promise);
  },
  'output: growable shared grows': (race) => {
    const outputs = race.outputs(growable);
    const promise = race.begin(race.placed(plain), outputs);
    for (const output of Object.values(outputs)) race.soon(() => grow(output, race.random));
    return race.expectResult(promise);
  },
  'output: detached some time': (race) => {
    const outputs = race.outputs(plain);
    const promise = race.begin(race.placed(plain), outputs);
    const output = race.random.pick(Object.values(outputs));
    const compared = race.expectResultOr(gone, promise);
    race.soon(() => (race.random.chance(0.5) ? detach(output) : give(race.sink, output)));
    // It may go between the writing and the comparing.
    return compared.catch((error) => {
      if (output.length > 0) throw error;
      return 'written, then gone';
    });
  },
  'output: read and written meanwhile': (race) => {
    const outputs = race.outputs(plain);
    const promise = race.begin(race.placed(plain), outputs);
    for (const output of Object.values(outputs)) bytesOf(output).fill(1);
    return race.expectResult(promise);
  },
  'abort: some time': (race) => abortAtRandom(race, {}, race.placed(plain)),
  'abort: some time, with an output': (race) =>
    abortAtRandom(race, {}, race.placed(plain), race.outputs(plain)),
  'abort: before': async (race) => {
    const arrays = race.placed(plain);
    const reason = new Error('before');
    const promise = race.begin(arrays, { transfer: true, signal: AbortSignal.abort(reason) });
    const error = await promise.then(
      () => undefined,
      (thrown) => thrown,
    );
    if (error !== reason) throw error ?? new Error('resolved');
    if (!isSame(arrays, race.case.arrays)) throw new Error('a call that never began took its inputs');
    return 'aborted';
  },
  'transfer: views of one buffer': (race) => race.expectResult(transferOne(race)),
  'transfer: one array for all inputs': async (race) => {
    const { inputs, arrays } = race.case;
    const all = (array) => ({ ...arrays, ...Object.fromEntries(inputs.map((role) => [role, array])) });
    const expected = race.case.twin(all(arrays[inputs[0]]));
    const result = await race.begin(all(arrays[inputs[0]].slice()), { transfer: true });
    if (!isSame(result, expected)) throw new Error('other bits than the synchronous twin');
    return 'resolved';
  },
  'transfer: abort some time': (race) => abortAtRandom(race, { transfer: true }, race.placed(plain)),
  'transfer: output detached': (race) => {
    const outputs = race.outputs(plain);
    const promise = transferOne(race, outputs);
    detach(race.random.pick(Object.values(outputs)));
    return race.expectError(gone, promise);
  },
  'transfer: resizable': (race) => {
    const arrays = race.placed(resizable);
    return race.expectResult(race.begin(arrays, { transfer: true }));
  },
  'transfer: the result again': async (race) => {
    const [role] = race.case.inputs;
    const result = await race.begin(race.placed(plain), { transfer: true });
    if (!isSame(result, race.case.expected)) throw new Error('other bits than the synchronous twin');
    for (const key of race.case.outputs) {
      const array = key === 'out' ? result : result[key];
      give(race.sink, array);
    }
    return role;
  },
};
