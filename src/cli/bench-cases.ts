// What `bench` times.

import type * as Api from 'softmax-native';
import type { Contestant } from './race.js';

export type Softmax = Pick<typeof Api, 'softmax' | 'crossEntropy'>;

export interface Case {
  readonly title: string;
  readonly rows: number;
  readonly classes: number;
  /** A call that writes to `out`. */
  readonly call: (api: Softmax, data: Data) => () => unknown;
}

export interface Data {
  readonly logits: Float32Array;
  readonly targets: Int32Array;
  readonly shape: readonly [number, number];
  readonly out: Float32Array;
}

const functions: readonly Pick<Case, 'title' | 'call'>[] = [
  {
    title: 'softmax',
    call: ({ softmax }, { logits, shape, out }) => {
      const options = { shape, out };
      return () => softmax(logits, options);
    },
  },
  {
    title: 'crossEntropy with gradient',
    call: ({ crossEntropy }, { logits, targets, shape, out }) => {
      const options = { shape, grad: out };
      return () => crossEntropy(logits, targets, options);
    },
  },
];

const shapes = [
  [1, 1000],
  [64, 1000],
  [1, 128256],
  [4096, 10],
] as const;

export const cases: readonly Case[] = functions.flatMap((chosen) =>
  shapes.map(([rows, classes]) => ({ ...chosen, rows, classes })),
);

/** The same in every run: multiples of 1/16 from −8 to 8. */
export function dataOf({ rows, classes }: Case): Data {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  const logits = Float32Array.from({ length: rows * classes }, () => (next() % 257) / 16 - 8);
  const targets = Int32Array.from({ length: rows }, () => next() % classes);
  return { logits, targets, shape: [rows, classes], out: new Float32Array(rows * classes) };
}

/** What no function that reads and writes as much can be faster than, where memory is the limit. */
export const copyOf = ({ logits, out }: Data): Contestant => ({
  name: 'memory copy',
  run: () => out.set(logits),
});
