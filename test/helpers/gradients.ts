// What gradients are tested with: lengths of rows, and how logits are scaled.

export const shortLengths: readonly number[] = [1, 2, 3, 4, 7, 10, 17];
export const shortAndLong: readonly number[] = [...shortLengths, 33, 100, 300, 1000, 5000];

export interface Scaling {
  readonly temperature?: number;
  readonly scale?: number;
}
export const scalings: readonly Scaling[] = [
  {},
  { temperature: 0.7 },
  { temperature: 4, scale: -0.5 },
  { scale: 3 },
];
export const multiplierOf = ({ temperature = 1, scale = 1 }: Scaling): number => scale / temperature;
