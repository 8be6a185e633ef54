// Calls of every function of the package that are wrong in one place, and what a wrong call must not do.

import { isProxy } from 'node:util/types';
import { badArguments, badOptions, foreignNames, type OptionName } from './bad-roles.js';
import type { Bad } from './bad-values.js';

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

type Place = keyof typeof badArguments;

interface Signature {
  readonly places: readonly Exclude<Place, 'options' | 'threads'>[];
  /** Each of its own, but for those of asynchronous functions. */
  readonly names: readonly OptionName[];
  readonly result: { readonly name: 'out' | 'grad'; readonly length: number };
}

const ofRows = ['out', 'shape', 'axis', 'temperature', 'scale', 'mask', 'dtype'] as const;
const ofLosses = [
  ...(['grad', 'shape', 'axis', 'dtype', 'reduction', 'emptyMean', 'weight', 'ignoreIndex'] as const),
  'gradOutput' as const,
];
const ofLogits = [...ofLosses, 'temperature', 'scale', 'mask', 'labelSmoothing'] as const;
const out = { name: 'out', length: 6 } as const;
const grad = { name: 'grad', length: 6 } as const;

const signatures: Readonly<Record<string, Signature>> = {
  softmax: { places: ['floats'], names: ofRows, result: out },
  logSoftmax: { places: ['floats'], names: ofRows, result: out },
  logSumExp: { places: ['floats'], names: ofRows, result: { ...out, length: 2 } },
  softmaxBackward: { places: ['floats', 'floats'], names: ofRows, result: out },
  logSoftmaxBackward: { places: ['floats', 'floats'], names: ofRows, result: out },
  softmaxJacobian: {
    places: ['floats'],
    names: ['out', 'shape', 'axis', 'dtype'],
    result: { ...out, length: 18 },
  },
  crossEntropy: { places: ['floats', 'target'], names: [...ofLogits, 'logProbs'], result: grad },
  nllLoss: { places: ['floats', 'target'], names: ofLosses, result: grad },
  distillationLoss: { places: ['floats', 'floats'], names: [...ofLogits, 'target', 'alpha'], result: grad },
};
const isAsync = (name: string) => name.endsWith('Async');
export const syncName = (name: string) => name.replace(/Async$/, '');
const asyncNames: readonly OptionName[] = ['signal', 'transfer'];
const namesOf = (name: string): readonly OptionName[] => [
  ...(signatures[syncName(name)] as Signature).names,
  ...(isAsync(name) ? asyncNames : []),
];

const numbersFrom = (length: number, first: number) => Float32Array.from({ length }, (_, i) => first + i / 8);

/** Arguments of a good call, all that may be there with memory of its own. */
function goodArguments(name: string, isTransfer: boolean): Arguments {
  const { places, names, result } = signatures[syncName(name)] as Signature;
  const positional = places.map((place, i) =>
    place === 'target' ? Int32Array.of(2, 0) : numbersFrom(6, -i),
  );
  const options: Record<string, unknown> = { shape: [2, 3], [result.name]: numbersFrom(result.length, 7) };
  if (names.includes('target')) options.target = Int32Array.of(0, 1);
  if (isTransfer) options.transfer = true;
  return { positional, options };
}

/** What is wrong beyond a single value: memory that outputs must not have. */
function overlaps(name: string, isTransfer: boolean): BadCall[] {
  const { result, places } = signatures[syncName(name)] as Signature;
  const sharing = (label: string, change: (args: Arguments, memory: ArrayBuffer) => void): BadCall => ({
    label: `${result.name} ${label}`,
    make: () => {
      const args = goodArguments(name, isTransfer);
      const memory = new ArrayBuffer(256);
      new Float32Array(memory).fill(0.5);
      args.options[result.name] = new Float32Array(memory, 64, result.length);
      change(args, memory);
      return [...args.positional, args.options];
    },
  });
  const floats = places.flatMap((place, i) => (place === 'floats' ? [i] : []));
  const isLoss = result.name === 'grad';
  return [
    ...floats.flatMap((i) =>
      [-5, -4, -1, 1].map((shift) =>
        sharing(`beside argument ${i} by ${shift}`, ({ positional }, memory) => {
          positional[i] = new Float32Array(memory, 64 + 4 * shift, 6);
        }),
      ),
    ),
    ...(isLoss
      ? [
          sharing('over weights', ({ options }, memory) => {
            options.weight = new Float32Array(memory, 72, 3);
          }),
        ]
      : []),
    ...(namesOf(name).includes('temperature')
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

/** Values that are good where others are not. */
function isGood(name: string, option: OptionName, label: string): boolean {
  // One row, but with neither as many targets.
  return syncName(name) === 'softmaxJacobian' && option === 'shape' && label === '[6]';
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

/** Options that would change the result where the function has them, and names that other libraries have for ours. */
function refusedOptions(name: string, isTransfer: boolean): BadCall[] {
  const sync = syncName(name);
  const scaling = ['temperature', 'scale', 'mask'];
  const others =
    sync === 'nllLoss' ? [...scaling, 'labelSmoothing'] : sync === 'softmaxJacobian' ? scaling : [];
  return [...others, ...foreignNames].map((option) =>
    withOption(name, option, ['no option', () => 1], isTransfer),
  );
}

/** With limits that only softmax and logSoftmax have, and distillation has none of. */
function limits(name: string): [option: OptionName, bad: Bad][] {
  const sync = syncName(name);
  if (!namesOf(name).includes('temperature') || /^(log)?softmax$/i.test(sync)) return [];
  const values = [0, -0, ...(sync === 'distillationLoss' ? [Infinity, 1e200] : [])];
  return values.map((value) => [
    'temperature',
    [`a limit, ${Object.is(value, -0) ? '-0' : value}`, () => value],
  ]);
}

function callsOf(name: string, isTransfer: boolean): BadCall[] {
  const { places } = signatures[syncName(name)] as Signature;
  const inPlace = [...places, 'options' as const].flatMap((place, i) =>
    badArguments[place].map(
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
      .filter(([label]) => !isGood(name, option, label))
      .map((bad) => withOption(name, option, bad, isTransfer)),
  );
  const atLimits = limits(name).map(([option, bad]) => withOption(name, option, bad, isTransfer));
  const all = [inPlace, tooFew, inOptions, atLimits, overlaps(name, isTransfer)].flat();
  return distinct([...all, ...refusedOptions(name, isTransfer)]);
}

/** Lists share values: each call once. */
const distinct = (calls: readonly BadCall[]): BadCall[] => [
  ...new Map(calls.map((call) => [call.label, call])).values(),
];

/** Every function that takes arguments, with its wrong calls. */
export function badCalls(): ReadonlyMap<string, readonly BadCall[]> {
  const calls = new Map<string, readonly BadCall[]>();
  for (const name of Object.keys(signatures)) {
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
