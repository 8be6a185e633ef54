// Rows in shards: what other functions make of them for the one that is called. The first input of a call is one shard;
// each of the others is the input of a plan that differs in its size and seed alone.

import { once } from './layout.js';
import type { AnyArray } from './memory.js';
import type { ArrayPlan, CallPlan } from './plan.js';
import { longestArray, wordsOf } from './values.js';
import { World } from './world.js';

type AnyFunction = (...given: unknown[]) => unknown;
export type Api = Readonly<Record<string, unknown>>;

/** Makes the arguments of a call. */
type Prepare = (world: World) => unknown[];

/** A plan for each shard, valid ones of which no caller's code is told. */
function plansOf(plan: CallPlan, { layout }: World): readonly CallPlan[] {
  const { sizes, axis, shards } = layout;
  const { before } = plan.shards;
  return once(plan, 'plans of shards', () =>
    shards.map((length, index): CallPlan => {
      const [first, second] = plan.inputs;
      const isOwn = shards.length === 1 || index === before.length;
      const other: ArrayPlan = { ...first, seed: first.seed + index, memory: 'own' };
      return {
        ...plan,
        fn: plan.fn === 'gatherTopK' ? 'topK' : 'partial',
        way: 'sync',
        sizes: isOwn ? sizes : sizes.with(axis, length),
        axis: plan.fn === 'gatherTopK' ? undefined : plan.axis,
        inputs: [isOwn ? first : other, second],
        hasTarget: plan.fn === 'finishCrossEntropy' ? plan.shards.seed % 32 !== 0 : plan.hasTarget,
        places: Math.min(plan.places, length),
        shards: { ...plan.shards, before: shards.slice(0, index), after: shards.slice(index + 1) },
        out: undefined,
        trap: undefined,
        fault: undefined,
      };
    }),
  );
}

/** What the library makes of each shard; undefined where it refuses one, as it does with a wrong temperature. */
function partsOf(world: World, prepare: Prepare): unknown[] | undefined {
  const { plan, api } = world;
  const parts: unknown[] = [];
  for (const own of plansOf(plan, world)) {
    const given = prepare(new World(own, api));
    const part = orRefused(() => (api[own.fn] as AnyFunction)(...given));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  if (plan.shards.harm === 'missing' && parts.length > 1) parts.splice(plan.shards.seed % parts.length, 1);
  return parts;
}

function orRefused<Value>(call: () => Value): Value | undefined {
  try {
    return call();
  } catch (error) {
    if ((error as { code?: unknown }).code === undefined) throw error;
    return undefined;
  }
}

/** Merges some of them, any ones, until there are no more than so many. */
function merged({ api }: World, parts: unknown[], words: () => number, most: number): unknown[] {
  const left = [...parts];
  const take = () => left.splice(words() % left.length, 1)[0];
  while (left.length > most) {
    const some = [take(), take(), ...(left.length > 0 && words() % 3 === 0 ? [take()] : [])];
    const state = orRefused(() => (api.mergePartials as AnyFunction)(some));
    if (state === undefined) return [new Float64Array(0)];
    left.push(state);
  }
  return left;
}

/** What fields of a state may be, and may not. */
const wrongNumbers = [
  ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 0, 1, -1, 0.5, 3],
  ...[1e-300, 1e300, 1e30, -1e30, 2 ** 31, 2 ** 53, 1024, -5000],
];

/** As the plan has it: whole, or not. */
function harmed(plan: CallPlan, state: Float64Array, words: () => number): Float64Array {
  const { harm } = plan.shards;
  if (harm === 'cut') return state.slice(0, words() % (state.length + 1));
  if (harm !== 'number' || state.length === 0) return state;
  const copy = state.slice();
  // Beyond the head, most times: what that is changed to is refused.
  const begin = words() % 4 === 0 ? 0 : Math.min(9, state.length - 1);
  const at = begin + (words() % (state.length - begin));
  const kind = words() % 3;
  const other = copy[words() % copy.length] as number;
  const value = kind === 0 ? other : kind === 1 ? (copy[at] as number) * 1.5 : pick(words, wrongNumbers);
  copy[at] = value;
  return copy;
}

const pick = <Value>(words: () => number, values: readonly Value[]): Value =>
  values[words() % values.length] as Value;

/** A state in memory as the second input's plan has it, which these functions have not. */
function placeState(world: World, name: string, state: Float64Array): unknown {
  const [, array] = world.plan.inputs;
  const isBytes = array.seed % 3 === 0;
  const elements = isBytes ? new Uint8Array(state.buffer, state.byteOffset, state.byteLength) : state;
  const kind = isBytes ? 'Uint8Array' : 'Float64Array';
  return world.put(name, world.place(name, kind, elements as AnyArray, array).array);
}

/** The argument `state`, of all shards. */
export function stateOf(world: World, prepare: Prepare): unknown {
  const { plan } = world;
  const words = wordsOf(plan.shards.seed);
  const parts = partsOf(world, prepare);
  const [whole] = parts ? merged(world, parts, words, 1) : [];
  return placeState(world, 'state', harmed(plan, (whole ?? new Float64Array(0)) as Float64Array, words));
}

function listOf(world: World, parts: readonly unknown[]): unknown {
  const list = world.traps.array('parts', parts);
  world.names.set(list, 'parts');
  return world.put('parts', list);
}

/** The argument `parts` of mergePartials: some of them merged already, one of them harmed. */
export function statesOf(world: World, prepare: Prepare): unknown {
  const { plan } = world;
  const words = wordsOf(plan.shards.seed);
  const parts = partsOf(world, prepare) ?? [];
  const states = merged(world, parts, words, Math.max(1, words() % (parts.length + 1)));
  const bad = words() % (states.length || 1);
  return listOf(
    world,
    states.map((state, i) =>
      placeState(
        world,
        `parts[${i}]`,
        i === bad ? harmed(plan, state as Float64Array, words) : (state as Float64Array),
      ),
    ),
  );
}

type Listed = { readonly values: unknown; readonly indices: unknown };
const dataOf = (array: unknown): Int32Array => (array as { data?: Int32Array }).data ?? (array as Int32Array);

/** The argument `parts` of gatherTopK. */
export function listsOf(world: World, prepare: Prepare): unknown {
  const { plan, layout } = world;
  const words = wordsOf(plan.shards.seed);
  const parts = (partsOf(world, prepare) ?? []) as Listed[];
  let offset = 0;
  const lists = parts.map(({ values, indices }, i) => {
    const own = dataOf(indices);
    if (plan.shards.harm === 'number' && i === 0 && own.length > 0)
      own[words() % own.length] = pick(words, [-1, 0, -2, 1, 2 ** 31 - 1]);
    const name = `parts[${i}]`;
    const fields = { values, indices, offset: offset === 0 && words() % 2 === 0 ? undefined : offset };
    offset += layout.shards[i] as number;
    const part = world.traps.object(name, fields, plan.inputs[1].form);
    world.names.set(part, name);
    return world.put(name, part);
  });
  return listOf(world, lists);
}

/** The chunks of a stream, of other shards and of the input: floats, or their bytes, which may be cut anywhere. */
export function chunksOf(world: World): unknown {
  const { plan, layout } = world;
  const words = wordsOf(plan.shards.seed);
  const [first] = plan.inputs;
  const at = layout.shards.length === 1 ? 0 : plan.shards.before.length;
  const chunks = layout.shards.flatMap((length, i) => {
    const name = `chunks[${i}]`;
    const array: ArrayPlan = { ...first, container: 'bare', seed: first.seed + i };
    const {
      array: floats,
      buffer,
      begin,
      end,
    } = world.placeFloats(
      name,
      array,
      i === at ? Math.min(layout.elements, longestArray) : length,
      first.kind,
    );
    if (words() % 2 === 0 || end === begin || world.fault !== undefined) return [world.put(name, floats)];
    const middle = begin + (words() % (end - begin));
    const bytes = [
      new Uint8Array(buffer, begin, middle - begin),
      new Uint8Array(buffer, middle, end - middle),
    ];
    return plan.shards.harm === 'cut' && i === 0 ? bytes.slice(0, 1) : bytes;
  });
  for (const chunk of chunks) if (typeof chunk === 'object') world.names.set(chunk, 'a chunk');
  return chunks;
}

/** What is asked of a stream: a value, or how it is refused. */
function answer(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    const { code, message, fn } = error as { code?: unknown; message: string; fn?: unknown };
    return { code, message, fn };
  }
}

type Stream = Readonly<
  Record<'push' | 'state' | 'logSumExp' | 'argMax' | 'softmax' | 'logSoftmax', AnyFunction>
> & {
  readonly length: number;
  read(chunks: unknown): Promise<unknown>;
  softmaxOf(chunks: unknown): AsyncIterable<unknown>;
};
const newStream = (api: Api, options: unknown): Stream =>
  new (api.SoftmaxStream as new (options: unknown) => Stream)(options);

const answersOf = (stream: Stream, chunk: unknown) => ({
  length: stream.length,
  logSumExp: answer(() => stream.logSumExp()),
  argMax: answer(() => stream.argMax()),
  state: answer(() => stream.state()),
  softmax: answer(() => stream.softmax(chunk)),
  logSoftmax: answer(() => stream.logSoftmax(chunk)),
});

/** A stream with all of these chunks, asked on the way, too. */
export const streamed =
  (api: Api): AnyFunction =>
  (chunks, options) => {
    const stream = newStream(api, options);
    const given = chunks as readonly unknown[];
    const middle = given.length >> 1;
    for (const chunk of given.slice(0, middle)) stream.push(chunk);
    const before = answersOf(stream, given[0]);
    for (const chunk of given.slice(middle)) stream.push(chunk);
    return { before, after: answersOf(stream, given[0]) };
  };

/** The same, and a second pass. */
export const streamedAsync =
  (api: Api): AnyFunction =>
  async (chunks, options) => {
    const stream = newStream(api, options);
    await stream.read(chunks);
    const results: unknown[] = [];
    for await (const chunk of stream.softmaxOf(chunks)) results.push(chunk);
    return { after: answersOf(stream, (chunks as readonly unknown[])[0]), results };
  };
