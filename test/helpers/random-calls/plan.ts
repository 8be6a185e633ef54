// Calls as plain data: what fast-check draws, shrinks and prints, and what world.ts makes arguments of. Everything in a
// plan is independent of everything else in it; what depends on more than one field (an axis on the shape) is a number
// that world.ts takes modulo what there is.

export const floatKinds = ['float32', 'float64', 'float16', 'bfloat16', 'Float16Array'] as const;
/** A dtype; 'Float16Array' is float16 in an array of that name where the runtime has it, else as 'float16'. */
export type FloatKind = (typeof floatKinds)[number];

export const integerKinds = [
  'Int32Array',
  'Uint32Array',
  'Uint16Array',
  'Uint8Array',
  'Int16Array',
  'Int8Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;
export type IntegerKind = (typeof integerKinds)[number];

export const goodMemories = [
  'own',
  'view',
  'shared',
  'resizable',
  'tracking',
  'growable',
  'realm',
  'hostile',
] as const;
export const badMemories = ['detached', 'out of bounds', 'short', 'long', 'empty'] as const;
/**
 * Where an array is: memory of its own; a view with other elements around it; on a SharedArrayBuffer; on a resizable
 * buffer; following its length, which has changed since; the same on a growable SharedArrayBuffer; an array of another
 * realm; a subclass whose accessors tell that they ran. The bad ones: gone, or of a length that is not the right one.
 */
export type MemoryKind = (typeof goodMemories)[number] | (typeof badMemories)[number];

export const palettes = [
  'normal',
  'large',
  'huge',
  'tiny',
  'zeros',
  'equal',
  'specials',
  'mostly -Infinity',
  'log-probabilities',
  'around a bound',
  'any bits',
] as const;
export type Palette = (typeof palettes)[number];

export const objectForms = ['plain', 'frozen', 'no prototype', 'inherited', 'proxy', 'getters'] as const;
/** How an object has its fields. Proxies and getters tell what is read, and a trap may go off there. */
export type ObjectForm = (typeof objectForms)[number];

export const containers = ['bare', 'dims', 'shape'] as const;

export const arrangements = ['none', 'row-major', 'permuted', 'reversed', 'fortranOrder', 'order'] as const;

export interface ArrayPlan {
  readonly kind: FloatKind;
  readonly memory: MemoryKind;
  /** Elements in front of it in its memory. */
  readonly before: number;
  readonly palette: Palette;
  readonly seed: number;
  /** Bare, or in a tensor with the names of ONNX Runtime or of NumPy. */
  readonly container: (typeof containers)[number];
  /** What a tensor says of where its elements are. */
  readonly arrangement: (typeof arrangements)[number];
  /** Whether a tensor says its type. */
  readonly says: boolean;
  readonly form: ObjectForm;
}

export interface TargetPlan {
  /** Class indices in an array of that name; floats: probabilities. */
  readonly kind: IntegerKind | 'probabilities';
  readonly array: ArrayPlan;
  /** One in so many rows is ignored. 0: none. */
  readonly ignored: number;
}

export interface OutPlan {
  /** An array of its own; the input; another view of the input's memory; one element of it further on. */
  readonly how: 'own' | 'input' | 'alias' | 'overlap' | 'new';
  readonly array: ArrayPlan;
}

export interface NumbersPlan {
  /** A plain array of numbers, or floats. */
  readonly isPlain: boolean;
  /** One for all, or one each. */
  readonly isOne: boolean;
  readonly array: ArrayPlan;
}

export interface MaskPlan {
  /** How many of the last axes a bare mask has; for a tensor which axes are broadcast, a bit each. */
  readonly axes: number;
  readonly kind: IntegerKind;
  readonly keep: 'all' | 'most' | 'half' | 'none';
  readonly array: ArrayPlan;
}

export const trapActions = ['detach', 'shrink', 'grow', 'overwrite', 'throw', 'call'] as const;

/** What a caller's code does when it is reached for the so manieth time: to memory, or by another call. */
export interface TrapPlan {
  readonly at: number;
  readonly action: (typeof trapActions)[number];
  readonly which: number;
}

export const samplingNames = [
  ...(['topK', 'topP', 'minP', 'typicalP', 'topNSigma', 'minKeep', 'keepTies', 'order'] as const),
  ...(['allowed', 'bias', 'penalties', 'count', 'step', 'uniform', 'top', 'logProbsOf', 'hard'] as const),
] as const;
export type SamplingName = (typeof samplingNames)[number];

/** Options of the functions that draw; a seed is always given where there is no `uniform`. */
export interface SamplingPlan {
  readonly given: readonly SamplingName[];
  /** Of those that may be numbers, whether rows have their own. */
  readonly isPerRow: boolean;
  /** Where arrays of theirs are; its seed makes all values. */
  readonly array: ArrayPlan;
}

/** Rows in shards, of which the first input is one. */
export interface ShardsPlan {
  /** How many classes the others have, before that one and behind it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The order of merging, and what is said of them. */
  readonly seed: number;
  /** Of what was made of them: another number somewhere, cut short, or without one of them. */
  readonly harm: 'none' | 'number' | 'cut' | 'missing';
}

/** One thing that is wrong: a value where another belongs, or memory. `where`: which argument, option or field. */
export interface FaultPlan {
  readonly where: number;
  readonly what: number;
}

export interface CallPlan {
  /** The name of an operation. */
  readonly fn: string;
  readonly way: 'sync' | 'async' | 'transfer' | 'aborted';
  /** What the caller does with its arrays when an asynchronous call has returned. */
  readonly meanwhile: 'nothing' | 'overwrite' | 'detach';
  readonly sizes: readonly number[];
  readonly axis: number | undefined;
  readonly shapeAs: 'array' | 'Int32Array' | 'Float64Array' | 'none';
  readonly inputs: readonly [ArrayPlan, ArrayPlan];
  /** Whether the second input is the first. */
  readonly isSameInput: boolean;
  readonly dtype: FloatKind | undefined;
  readonly out: OutPlan | undefined;
  readonly logProbs: OutPlan | undefined;
  readonly temperature: number | NumbersPlan | undefined;
  readonly scale: number | undefined;
  readonly mask: MaskPlan | undefined;
  readonly target: TargetPlan;
  readonly hasTarget: boolean;
  readonly weight: NumbersPlan | undefined;
  readonly gradOutput: number | NumbersPlan | undefined;
  readonly ignoreIndex: number | undefined;
  readonly labelSmoothing: number | undefined;
  readonly alpha: number | undefined;
  readonly reduction: 'mean' | 'sum' | 'none' | undefined;
  readonly emptyMean: 'nan' | 'zero' | undefined;
  readonly emptyRow: 'nan' | 'zero' | undefined;
  /** Places of topK, tokens a row, the most likely ones: more than there may be, at times. */
  readonly places: number;
  /** What topK gives. */
  readonly values: 'logits' | 'probabilities' | 'logProbabilities' | undefined;
  readonly sampling: SamplingPlan;
  readonly shards: ShardsPlan;
  readonly form: ObjectForm;
  readonly trap: TrapPlan | undefined;
  readonly fault: FaultPlan | undefined;
}
