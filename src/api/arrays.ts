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

/** What libraries declare the data of their tensors as: arrays of any kind. The calls refuse those that are none of floats. */
export type TensorData = ArrayBufferView | Pick<ArrayLike<unknown>, 'length'>;

/** What a library's tensors have by the name of one of the fields below: `stride()` of transformers.js, for one. */
type Method = (...args: never[]) => unknown;

/**
 * How a tensor's elements lie in its data, and where that is. Without any of these fields: row-major, from the start, and
 * as many as the shape says. Strides win over an order. Fields that are functions say nothing.
 *
 * Elements one after the other in row-major order are used where they are. Others are copied: an input before the call
 * computes, an output after it, at some 3 ns an element and with as much new memory. Results are the bits of the
 * row-major array. A new result is row-major, and says so by the same fields.
 *
 * What reaches outside the data, or is none of this, is an error (ERR_SHAPE), and so are two elements of an output in
 * one place. Whether memory is shared is decided element by element: columns side by side are apart.
 */
export interface Layout {
  /** For each axis, how many elements of `data` lie between neighbours; as in the package `ndarray`. May be negative. */
  readonly stride?: ShapeArray | Method | undefined;
  /** The same as `stride`, by the name that it has in stdlib's `ndarray`, PyTorch and NumPy; here in elements too. */
  readonly strides?: ShapeArray | Method | undefined;
  /** Where in `data` the element is whose indices are all 0, in elements. Default 0. */
  readonly offset?: number | Method | undefined;
  /** true: column-major, as in `npyjs`. Default false. */
  readonly fortranOrder?: boolean | Method | undefined;
  /**
   * 'C' or 'row-major', the default; 'F' or 'column-major'. The package `ndarray` has an array of axes of this name,
   * which follows from its strides.
   */
  readonly order?: string | readonly number[] | Method | undefined;
  /** Where the data is. Anything but 'cpu' and 'cpu-pinned' is refused. */
  readonly location?: string | Method | undefined;
}

/** A tensor by ONNX Runtime's names: an `ort.Tensor` or a transformers.js `Tensor` as they are. */
export interface DimsTensor extends Layout {
  /** Of floats: a Float32Array, Float64Array, Float16Array, or a Uint16Array with its type. */
  readonly data: TensorData;
  /** The shape. */
  readonly dims: ShapeArray;
  /** 'float32', 'float64', 'float16' or 'bfloat16'. Only a Uint16Array needs it. */
  readonly type?: string | undefined;
}

/** A tensor by NumPy's names: an `NdArray` of the package `ndarray`, what `npyjs` reads. */
export interface ShapeTensor extends Layout {
  /** As that of a DimsTensor. */
  readonly data: TensorData;
  /** The shape. */
  readonly shape: ShapeArray;
  /** As the `type` of a DimsTensor. */
  readonly dtype?: string | undefined;
}

/** An array in an object. Every field is read once, so that it may be a proxy. */
export type Tensor = DimsTensor | ShapeTensor;

/** What the functions take. */
export type Input = FloatArray | Tensor;

/** What they write to. */
export type Output = FloatArray | Tensor;

/** What class indices are written to: an array, or a tensor of one. */
export type IndexOutput = Int32Array | Tensor;

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

/**
 * New arrays. From TypeScript 5.7 on typed arrays say what memory they are in, and this is Float32Array<ArrayBuffer>,
 * which a Blob and others ask for; before, Float32Array.
 */
export type NewFloat32Array = ReturnType<Float32ArrayConstructor['of']>;
/** As NewFloat32Array. */
export type NewFloat64Array = ReturnType<Float64ArrayConstructor['of']>;
/** As NewFloat32Array. */
export type NewUint16Array = ReturnType<Uint16ArrayConstructor['of']>;
/** As NewFloat32Array. */
export type NewInt32Array = ReturnType<Int32ArrayConstructor['of']>;
/** As NewFloat32Array, where the language level has Float16Array. */
export type NewHalfArray = typeof globalThis extends { Float16Array: { of(): infer Half } } ? Half : never;

/** The array that holds elements of a dtype. */
export type ArrayOf<D extends DType> = D extends 'float32'
  ? NewFloat32Array
  : D extends 'float64'
    ? NewFloat64Array
    : D extends 'float16'
      ? NewHalfArray | NewUint16Array
      : NewUint16Array;

/** A new array of the same kind; of any kind where X may be any. Whatever else X may be is refused. */
type SameArray<X> = X extends Float32Array
  ? NewFloat32Array
  : X extends Float64Array
    ? NewFloat64Array
    : X extends Uint16Array
      ? NewUint16Array
      : X extends HalfArray
        ? NewHalfArray
        : Float32Array extends X
          ? ArrayOf<DType>
          : never;

/** Row-major order, by the naming of orders that X is of. */
type RowMajor<Order> = Order extends 'C' | 'F'
  ? 'C'
  : Order extends 'row-major' | 'column-major'
    ? 'row-major'
    : Order;

/** The fields of a result that has them: it is row-major, from the start of its data. */
interface ResultFields<Data, Type, Order> {
  data: Data;
  dims: number[];
  shape: number[];
  type: Type;
  dtype: Type;
  stride: number[];
  strides: number[];
  offset: number;
  fortranOrder: false;
  order: RowMajor<Order>;
}

type FieldName = keyof ResultFields<0, 0, 0>;

/** Methods, and an `order` that is an array of axes, are not a part of results. */
type ResultName<Name, Field> = Field extends Method
  ? never
  : Name extends 'order'
    ? Field extends readonly number[]
      ? never
      : Name
    : Name & FieldName;

/** A tensor with the fields of X, but its data in `Data` and its type `Type`. */
type TensorOf<X, Data, Type> = {
  readonly [Name in keyof X as ResultName<Name, X[Name]>]: ResultFields<Data, Type, X[Name]>[Name &
    FieldName];
};

/** Result, but for inputs of the type any (any & 1 is any): what comes of them has that type too. */
type AnyOr<X, Result> = 0 extends X & 1 ? X : Result;

/** What has the elements of an input: an array or tensor like it. */
export type Like<X extends Input> = AnyOr<
  X,
  X extends DimsTensor
    ? TensorOf<X, SameArray<X['data']>, X['type']>
    : X extends ShapeTensor
      ? TensorOf<X, SameArray<X['data']>, X['dtype']>
      : SameArray<X>
>;

type ConvertedArray<X, D extends DType> = X extends Uint16Array
  ? D extends 'float16' | 'bfloat16'
    ? NewUint16Array
    : ArrayOf<D>
  : ArrayOf<D>;

/** The same, holding elements of another dtype. */
export type Converted<X extends Input, D extends DType> = AnyOr<
  X,
  X extends Tensor ? TensorOf<X, ConvertedArray<X['data'], D>, D> : ConvertedArray<X, D>
>;

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
export type RowArray<X extends Input> = AnyOr<
  X,
  X extends Tensor ? TensorOf<X, RowData<X['data']>, RowDType<X['data']>> : RowData<X>
>;

/** Class indices, in the kind of container that X is. */
export type IndicesOf<X extends Input> = AnyOr<
  X,
  X extends Tensor ? TensorOf<X, NewInt32Array, 'int32'> : NewInt32Array
>;

/** The result of a function that gives class indices of X, with the option `out`. */
export type IndexResult<X extends Input, Out extends IndexOutput | undefined> = [Out] extends [IndexOutput]
  ? Out
  : Out extends IndexOutput
    ? Out
    : IndicesOf<X>;

type RowData<Data> = Data extends Float64Array ? NewFloat64Array : NewFloat32Array;
type RowDType<Data> = Data extends Float64Array ? 'float64' : 'float32';
