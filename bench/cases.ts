// What can be measured: operations × types × shapes.

export const operations = ['softmax', 'logSoftmax', 'softmaxBackward', 'crossEntropy'] as const;
export type Operation = (typeof operations)[number];

export const dtypes = ['float32', 'float64', 'float16', 'bfloat16'] as const;
export type DType = (typeof dtypes)[number];

/** Two dimensions, row-major. Along axis 1 there are dims[0] rows, along axis 0 dims[1] columns. */
export interface Shape {
  readonly dims: readonly [number, number];
  readonly axis: 0 | 1;
}

export interface Case {
  readonly operation: Operation;
  readonly dtype: DType;
  readonly shape: Shape;
}

export const titles: Readonly<Record<Operation, string>> = {
  softmax: 'softmax',
  logSoftmax: 'logSoftmax',
  softmaxBackward: 'softmaxBackward',
  crossEntropy: 'crossEntropy with gradient',
};

export function shapeName({ dims, axis }: Shape): string {
  return `${dims.join('×')}${axis === 0 ? ' axis 0' : ''}`;
}

export const caseName = ({ operation, dtype, shape }: Case): string =>
  `${operation} ${dtype} ${shapeName(shape)}`;

/** How many numbers there are along the axis, and how many such rows. */
export function rowsOf({ dims, axis }: Shape): { rows: number; classes: number } {
  return axis === 1 ? { rows: dims[0], classes: dims[1] } : { rows: dims[1], classes: dims[0] };
}

/** `64x1000`, `64×1000`, `1024×1024 axis 0`. */
export function parseShape(text: string): Shape {
  const [, first, second, axis] = /^(\d+)[x×](\d+)(?: ?axis ?([01]))?$/.exec(text.trim()) ?? [];
  if (!(Number(first) > 0 && Number(second) > 0))
    throw new RangeError(`--shape ${text}: like 64x1000, or "1024x1024 axis 0"`);
  return { dims: [Number(first), Number(second)], axis: axis === '0' ? 0 : 1 };
}

export const shapes: readonly Shape[] = [
  '1×1',
  '1×4',
  '1×10',
  '1×100',
  '1×1000',
  '1×32000',
  '1×128256',
  '1×1000000',
  '64×1000',
  '4096×10',
  '65536×4',
  '1536×128',
  '32×128256',
  '1024×1024',
  '1024×1024 axis 0',
].map(parseShape);

export const quickShapes: readonly Shape[] = [
  '1×1',
  '1×10',
  '1×1000',
  '1×32000',
  '64×1000',
  '4096×10',
  '1536×128',
  '1024×1024',
  '1024×1024 axis 0',
].map(parseShape);

/** The words of an option that may be given several times, or once with commas. */
export function chosen<Word extends string>(
  option: string,
  given: readonly string[] | undefined,
  words: readonly Word[],
): readonly Word[] | undefined {
  return given
    ?.flatMap((list) => list.split(','))
    .map((text) => {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new RangeError(`--${option} ${text}: one of ${words.join(', ')}`);
      return word;
    });
}

export const chosenShapes = (given: readonly string[] | undefined): readonly Shape[] | undefined =>
  given?.flatMap((list) => list.split(',')).map(parseShape);
