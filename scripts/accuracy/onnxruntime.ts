// ONNX Runtime, by models of one operator: the bytes of the protobuf messages of onnx.proto3.

import { createRequire } from 'node:module';
import { formats } from '../../test/helpers/exact-row.js';
import { numberOf } from '../../test/helpers/half-bits.js';
import type { Batch, Contestant, Operation } from './contestants.js';

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

interface Operator {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly attributes: readonly Bytes[];
}

/** AttributeProto: name 1, i 3, s 4, ints 8, type 20. */
const lastAxis = [...text(1, 'axis'), ...integer(3, 1), ...integer(20, 2)];
const lastAxes = [...text(1, 'axes'), ...integer(8, 1), ...integer(20, 7)];
const noDimension = [...text(1, 'keepdims'), ...integer(3, 0), ...integer(20, 2)];
const noReduction = [...text(1, 'reduction'), ...text(4, 'none'), ...integer(20, 3)];

const operators: Partial<Record<Operation, Operator>> = {
  softmax: { type: 'Softmax', inputs: ['x'], attributes: [lastAxis] },
  logSoftmax: { type: 'LogSoftmax', inputs: ['x'], attributes: [lastAxis] },
  logSumExp: { type: 'ReduceLogSumExp', inputs: ['x'], attributes: [lastAxes, noDimension] },
  loss: { type: 'SoftmaxCrossEntropyLoss', inputs: ['x', 'target'], attributes: [noReduction] },
};

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
function modelOf({ type, inputs, attributes }: Operator, dtype: Batch['dtype']): Uint8Array {
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

/** What is used of onnxruntime-node, which is installed with the example alone. */
interface Tensor {
  readonly data: ArrayLike<number>;
}
interface Session {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
}
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: ArrayLike<number> | BigInt64Array, dims: number[]) => Tensor;
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
}

export function onnxRuntime(): Contestant | undefined {
  const require = createRequire(new URL('../../examples/interop/package.json', import.meta.url));
  let ort: OnnxRuntime;
  try {
    ort = require('onnxruntime-node');
  } catch {
    return undefined;
  }
  const sessions = new Map<string, Promise<Session | undefined>>();
  const sessionOf = (operation: Operation, dtype: Batch['dtype']) => {
    const key = `${operation} ${dtype}`;
    const operator = operators[operation];
    if (operator && !sessions.has(key)) {
      // An operator that is not implemented for the dtype is an error here.
      const session = ort.InferenceSession.create(modelOf(operator, dtype), { logSeverityLevel: 4 });
      sessions.set(
        key,
        session.catch(() => undefined),
      );
    }
    return sessions.get(key);
  };
  return {
    name: 'ONNX Runtime',
    version: require('onnxruntime-node/package.json').version,
    async measure(operation, { dtype, data, rows, length, targets }) {
      // Its JavaScript tensors have no bfloat16.
      if (dtype === 'bfloat16') return undefined;
      const session = await sessionOf(operation, dtype);
      if (!session) return undefined;
      const x = new ort.Tensor(dtype, data, [rows, length]);
      const target = new ort.Tensor('int64', BigInt64Array.from(targets, BigInt), [rows]);
      const { y } = await session.run(operation === 'loss' ? { x, target } : { x });
      if (!(y?.data instanceof Uint16Array)) return y?.data;
      return Float64Array.from(y.data, (bits) => numberOf(bits, formats.float16));
    },
    close() {},
  };
}
