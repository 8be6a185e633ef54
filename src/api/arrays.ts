// The types of array arguments and of the results that they lead to.

import type { DType } from '../backends/kernels.js';

/** Float16Array where the language level has it. */
export type HalfArray = typeof globalThis extends { Float16Array: { prototype: infer Half } } ? Half : never;

/** An array of floats. A Uint16Array holds the bits of float16 or bfloat16, as the option `dtype` says. */
export type FloatArray = Float32Array | Float64Array | HalfArray | Uint16Array;

/** A shape: the sizes of 1 to 64 axes, non-negative integers, in an array or a typed array. */
export type ShapeArray =
  | readonly number[]
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** A tensor by ONNX Runtime's names: an `ort.Tensor` or a transformers.js `Tensor` as they are. */
export interface DimsTensor {
  /** Of floats: a Float32Array, Float64Array, Float16Array, or a Uint16Array with its type. */
  readonly data: ArrayLike<unknown>;
  /** The shape, row-major. */
  readonly dims: ShapeArray;
  /** 'float32', 'float64', 'float16' or 'bfloat16'. Only a Uint16Array needs it. */
  readonly type?: string | undefined;
  /** Where the data is. Anything but 'cpu' and 'cpu-pinned' is refused. */
  readonly location?: string | undefined;
}

/** A tensor by NumPy's names. */
export interface ShapeTensor {
  /** As that of a DimsTensor. */
  readonly data: ArrayLike<unknown>;
  /** The shape, row-major. */
  readonly shape: ShapeArray;
  /** As the `type` of a DimsTensor. */
  readonly dtype?: string | undefined;
  /** Where the data is. Anything but 'cpu' and 'cpu-pinned' is refused. */
  readonly location?: string | undefined;
}

/** An array in an object. Every field is read once, so that it may be a proxy. */
export type Tensor = DimsTensor | ShapeTensor;

/** What the functions take. */
export type Input = FloatArray | Tensor;

/** What they write to. */
export type Output = FloatArray | Tensor;

/** Several numbers: one per row, or one per class. */
export type NumberArray = readonly number[] | FloatArray | Tensor;

/** Which elements count: those that are not 0. */
export type MaskArray = Uint8Array | Tensor;

/** Class indices, one per row. */
export type IndexArray =
  | Int32Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | Int16Array
  | Int8Array
  | BigInt64Array
  | BigUint64Array;

/** Class indices, one per row: an array of integers, or a tensor of them whose shape is the logits' without the axis. */
export type IndexTarget = IndexArray | readonly number[] | Tensor;

/** The array that holds elements of a dtype. */
export type ArrayOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'float64'
    ? Float64Array
    : D extends 'float16'
      ? HalfArray | Uint16Array
      : Uint16Array;

type FieldName = 'data' | 'dims' | 'type' | 'shape' | 'dtype';

/** A bare array of the same kind, in memory of its own. */
type SameArray<X> = X extends Float32Array
  ? Float32Array
  : X extends Float64Array
    ? Float64Array
    : X extends Uint16Array
      ? Uint16Array
      : X;

/** A tensor with the fields of X, but its data in `Data` and its type `Type`. */
type TensorOf<X, Data, Type> = {
  readonly [Name in keyof X as Name & FieldName]: Name extends 'data'
    ? Data
    : Name extends 'type' | 'dtype'
      ? Type
      : number[];
};

/** What has the elements of an input: an array or tensor like it. */
export type Like<X extends Input> = X extends DimsTensor
  ? TensorOf<X, SameArray<X['data']>, X['type']>
  : X extends ShapeTensor
    ? TensorOf<X, SameArray<X['data']>, X['dtype']>
    : SameArray<X>;

type ConvertedArray<X, D extends DType> = X extends Uint16Array
  ? D extends 'float16' | 'bfloat16'
    ? Uint16Array
    : ArrayOf<D>
  : ArrayOf<D>;

/** The same, holding elements of another dtype. */
export type Converted<X extends Input, D extends DType> = X extends Tensor
  ? TensorOf<X, ConvertedArray<X['data'], D>, D>
  : ConvertedArray<X, D>;

/** The result of a function of X with the options `out` and `dtype`. */
export type Result<X extends Input, Out extends Output | undefined, D extends DType | undefined> = [
  Out,
] extends [Output]
  ? Out
  : Out extends Output
    ? Out
    : D extends DType
      ? Converted<X, D>
      : Like<X>;

/** One loss or log-sum-exp per row: float64 for float64 logits, float32 for all others. */
export type RowArray<X extends Input> = X extends Tensor
  ? TensorOf<X, RowData<X['data']>, RowDType<X['data']>>
  : RowData<X>;

type RowData<Data> = Data extends Float64Array ? Float64Array : Float32Array;
type RowDType<Data> = Data extends Float64Array ? 'float64' : 'float32';
