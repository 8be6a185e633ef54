// ONNX models of one operator: the bytes of the protobuf messages of onnx.proto3.

import type { DTypeName } from './contestants.js';

type Bytes = readonly number[];

function varint(value: number): Bytes {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
const integer = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];
const message = (field: number, bytes: Bytes): Bytes => [
  ...varint((field << 3) | 2),
  ...varint(bytes.length),
  ...bytes,
];
const text = (field: number, value: string): Bytes => message(field, [...Buffer.from(value)]);

export interface Operator {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly attributes: readonly Bytes[];
}

/** AttributeProto: name 1, i 3, s 4, ints 8, type 20. */
export const intAttribute = (name: string, value: number): Bytes => [
  ...text(1, name),
  ...integer(3, value),
  ...integer(20, 2),
];
export const intsAttribute = (name: string, value: number): Bytes => [
  ...text(1, name),
  ...integer(8, value),
  ...integer(20, 7),
];
export const stringAttribute = (name: string, value: string): Bytes => [
  ...text(1, name),
  ...text(4, value),
  ...integer(20, 3),
];

/** TensorProto.DataType */
const elementTypes = { float32: 1, int64: 7, float16: 10, float64: 11, bfloat16: 16 } as const;

/** ValueInfoProto: name 1, type 2 = TypeProto: tensor_type 1 = elem_type 1 and a shape 2 of `rank` open dimensions. */
function valueInfo(name: string, type: keyof typeof elementTypes, rank: number): Bytes {
  const shape = Array.from({ length: rank }, () => message(1, [])).flat();
  return [
    ...text(1, name),
    ...message(2, message(1, [...integer(1, elementTypes[type]), ...message(2, shape)])),
  ];
}

/** ModelProto: ir_version 1, graph 7, opset_import 8 = version 2; GraphProto: node 1, name 2, input 11, output 12. */
export function modelOf({ type, inputs, attributes }: Operator, dtype: DTypeName): Uint8Array {
  const isPerRow = type === 'ReduceLogSumExp' || inputs.length > 1;
  const node = [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, 'y'),
    ...text(4, type),
    ...attributes.flatMap((attribute) => message(5, attribute)),
  ];
  const graph = [
    ...message(1, node),
    ...text(2, type),
    ...inputs.flatMap((name) =>
      message(11, name === 'x' ? valueInfo(name, dtype, 2) : valueInfo(name, 'int64', 1)),
    ),
    ...message(12, valueInfo('y', dtype, isPerRow ? 1 : 2)),
  ];
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, integer(2, 13))]);
}
