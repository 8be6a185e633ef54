// Calls of every function of the package that are wrong in one place, and what a wrong call must not do.

import { isProxy } from 'node:util/types';
import { type BadOption, badArguments, badOptions, foreignNames } from './bad-roles.js';
import { type Bad, integers } from './bad-values.js';
import {
  allSignatures,
  isAsync,
  outKey,
  outLength,
  refusedOptions,
  type Signature,
  signatureOf,
  takes,
  takesClasses,
} from './signatures.js';

export type Module = Readonly<Record<string, unknown>>;

/** Arguments by their order, the last one the options. */
interface Arguments {
  readonly positional: unknown[];
  readonly options: Record<string, unknown>;
}

/** A wrong call. `make`: new arguments for it, always the same. */
export interface BadCall {
  readonly label: string;
  readonly make: () => unknown[];
}

/** The bad values of each positional argument. */
const placesOf = (signature: Signature): readonly ('floats' | 'target' | 'count')[] => [
  ...signature.inputs.map(() => 'floats' as const),
  ...(takesClasses(signature) ? (['target'] as const) : []),
  ...(signature.count === undefined ? [] : (['count'] as const)),
];
const namesOf = (name: string): readonly BadOption[] => [
  ...signatureOf(name).options,
  ...(isAsync(name) ? (['signal', 'transfer'] as const) : []),
];
const resultOf = (signature: Signature) => ({
  name: outKey(signature),
  length: signature.count === undefined ? outLength(signature, 2, 3) : 4,
});
/** What the option has that asks for a result in an array: that, or an object of the first of several results. */
const wantedOf = ({ results }: Signature, array: ArrayBufferView): unknown =>
  results === undefined ? array : { [Object.keys(results)[0] as string]: array };

const numbersFrom = (length: number, first: number) => Float32Array.from({ length }, (_, i) => first + i / 8);

/** Arguments of a good call, all that may be there with memory of its own. */
function goodArguments(name: string, isTransfer: boolean): Arguments {
  const signature = signatureOf(name);
  const result = resultOf(signature);
  const positional = placesOf(signature).map((place, i) =>
    place === 'count' ? 2 : place === 'target' ? Int32Array.of(2, 0) : numbersFrom(6, -i),
  );
  const options: Record<string, unknown> = {
    shape: [2, 3],
    [result.name]: wantedOf(
      signature,
      signature.holds ? new Int32Array(result.length).fill(7) : numbersFrom(result.length, 7),
    ),
  };
  if (takes(signature, 'target')) options.target = Int32Array.of(0, 1);
  if (isTransfer) options.transfer = true;
  return { positional, options };
}

/** What is wrong beyond a single value: memory that outputs must not have. */
function overlaps(name: string, isTransfer: boolean): BadCall[] {
  const signature = signatureOf(name);
  const result = resultOf(signature);
  const sharing = (label: string, change: (args: Arguments, memory: ArrayBuffer) => void): BadCall => ({
    label: `${result.name} ${label}`,
    make: () => {
      const args = goodArguments(name, isTransfer);
      const memory = new ArrayBuffer(256);
      new Float32Array(memory).fill(0.5);
      args.options[result.name] = wantedOf(
        signature,
        new (signature.holds ? Int32Array : Float32Array)(memory, 64, result.length),
      );
      change(args, memory);
      return [...args.positional, args.options];
    },
  });
  return [
    ...signature.inputs.flatMap((_, i) =>
      [-5, -4, -1, 1].map((shift) =>
        sharing(`beside argument ${i} by ${shift}`, ({ positional }, memory) => {
          positional[i] = new Float32Array(memory, 64 + 4 * shift, 6);
        }),
      ),
    ),
    ...(takes(signature, 'weight')
      ? [
          sharing('over weights', ({ options }, memory) => {
            options.weight = new Float32Array(memory, 72, 3);
          }),
        ]
      : []),
    ...(takes(signature, 'temperature')
      ? [
          sharing('over temperatures', ({ options }, memory) => {
            options.temperature = new Float32Array(memory, 68, 2);
          }),
          sharing('over the mask', ({ options }, memory) => {
            options.mask = new Uint8Array(memory, 66, 6);
          }),
        ]
      : []),
  ];
}

function withOption(name: string, option: string, [label, make]: Bad, isTransfer: boolean): BadCall {
  return {
    label: `${option}: ${label}`,
    make: () => {
      const { positional, options } = goodArguments(name, isTransfer);
      return [...positional, { ...options, [option]: make() }];
    },
  };
}

/** Options of other functions that would change the result, and names that other libraries have for ours. */
function foreignOptions(name: string, isTransfer: boolean): BadCall[] {
  return [...refusedOptions(signatureOf(name)), ...foreignNames].map((option) =>
    withOption(name, option, ['no option', () => 1], isTransfer),
  );
}

/** Temperatures at a limit that the function has not. That of a distillation is squared. */
function limits(name: string): [option: BadOption, bad: Bad][] {
  const signature = signatureOf(name);
  if (!takes(signature, 'temperature') || signature.hasLimits) return [];
  const values = [0, -0, ...(takes(signature, 'alpha') ? [Infinity, 1e200] : [])];
  return values.map((value) => [
    'temperature',
    [`a limit, ${Object.is(value, -0) ? '-0' : value}`, () => value],
  ]);
}

/** Integers of the logits' shape are probabilities, where a function takes those. */
const oneHot = new Set(
  integers.flatMap(([kind]) => [kind, `a tensor with ${kind}`]).concat('[1, 2, 3, 4, 5, 6]'),
);
/** Three tokens of each row. */
const severalTokens = new Set(integers.flatMap(([kind]) => [kind, `a tensor with ${kind}`]));
/** Integers go with floats of any dtype. */
const goodForIntegers = new Set([
  ...['Float64Array', 'a tensor with Float64Array'].map((label) => `floats: ${label}`),
  ...['float16', 'bfloat16'].map((dtype) => `dtype: string ${dtype}`),
]);
const isGood = (name: string, place: string, [label]: Bad): boolean =>
  (signatureOf(name).results !== undefined && place === 'target' && severalTokens.has(label)) ||
  (signatureOf(name).holds !== undefined && goodForIntegers.has(`${place}: ${label}`)) ||
  (place === 'target' && signatureOf(name).target !== 'classes' && oneHot.has(label));

function callsOf(name: string, isTransfer: boolean): BadCall[] {
  const places = placesOf(signatureOf(name));
  const inPlace = [...places, 'options' as const].flatMap((place, i) =>
    badArguments[place]
      .filter((bad) => !isGood(name, place, bad))
      .map(
        ([label, make]): BadCall => ({
          label: `argument ${i}: ${label}`,
          make: () => {
            const { positional, options } = goodArguments(name, isTransfer);
            const args = [...positional, options];
            args[i] = make();
            return args;
          },
        }),
      ),
  );
  const tooFew = places.map(
    (_, i): BadCall => ({
      label: `${i} arguments`,
      make: () => goodArguments(name, isTransfer).positional.slice(0, i),
    }),
  );
  const inOptions = namesOf(name).flatMap((option) =>
    badOptions[option]
      .filter((bad) => !isGood(name, option, bad))
      .map((bad) => withOption(name, option, bad, isTransfer)),
  );
  const atLimits = limits(name).map(([option, bad]) => withOption(name, option, bad, isTransfer));
  const all = [inPlace, tooFew, inOptions, atLimits, overlaps(name, isTransfer)].flat();
  return distinct([...all, ...foreignOptions(name, isTransfer)]);
}

/** Lists share values: each call once. */
const distinct = (calls: readonly BadCall[]): BadCall[] => [
  ...new Map(calls.map((call) => [call.label, call])).values(),
];

/** Every function that takes arguments, with its wrong calls. */
export function badCalls(): ReadonlyMap<string, readonly BadCall[]> {
  const calls = new Map<string, readonly BadCall[]>();
  for (const { name } of allSignatures) {
    calls.set(name, callsOf(name, false));
    const given = callsOf(`${name}Async`, true).map(({ label, make }) => ({
      label: `given up, ${label}`,
      make,
    }));
    // `transfer` itself is wrong once.
    const isOnce = ({ label }: BadCall) => !label.startsWith('given up, transfer:');
    calls.set(`${name}Async`, [...callsOf(`${name}Async`, false), ...given.filter(isOnce)]);
  }
  const ofThreads = badArguments.threads.map(([label, make]): BadCall => ({ label, make: () => [make()] }));
  calls.set('setThreads', distinct([...ofThreads, { label: 'no arguments', make: () => [] }]));
  return calls;
}

/** All memory that values and the fields of plain objects have. Nobody's code runs. */
function memoryOf(value: unknown, found: Set<ArrayBufferLike>): void {
  if (typeof value !== 'object' || value === null || isProxy(value)) return;
  if (ArrayBuffer.isView(value)) found.add(value.buffer);
  else if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) found.add(value);
  else if (!Array.isArray(value) || value.length < 100)
    for (const { value: field } of Object.values(Object.getOwnPropertyDescriptors(value)))
      memoryOf(field, found);
}

/** Of detached memory nothing. */
const copyOf = (buffer: ArrayBufferLike): Buffer =>
  buffer.byteLength === 0 ? Buffer.alloc(0) : Buffer.from(new Uint8Array(buffer));

export interface Outcome {
  readonly error: unknown;
  /** What a wrong call must leave alone and did not. */
  readonly touched: string | undefined;
}

/** Makes the call, and waits for it if it is asynchronous. */
export async function outcomeOf(module: Module, name: string, { make }: BadCall): Promise<Outcome> {
  const args = make();
  const found = new Set<ArrayBufferLike>();
  for (const arg of args) memoryOf(arg, found);
  const before = [...found].map((buffer) => [buffer, copyOf(buffer)] as const);
  let error: unknown;
  let isThrown = true;
  try {
    const returned = (module[name] as (...all: unknown[]) => unknown)(...args);
    isThrown = false;
    await returned;
  } catch (caught) {
    error = caught;
  }
  if (isThrown && isAsync(name)) return { error, touched: 'it threw instead of rejecting' };
  const changed = before.some(([buffer, bytes]) => !bytes.equals(copyOf(buffer)));
  return { error, touched: changed ? 'memory was written or given up' : undefined };
}
