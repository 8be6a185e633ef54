// Paths of the machine that built a binary: they tell strangers of it, and make every build another one.
import { homedir, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
// A path of a directory of people or builds; one with a drive; a source file by its name.
const patterns = [
  /\/(?:tmp|home|root|work|workspace|build|builds|mnt|opt|private|Users|github|__w)\/[\w.+@-]+/,
  /\b[A-Za-z]:[\\/][\w.-]+[\\/][\w.-]+/,
  /[\w-]{3,}\.(?:cc|cpp|cxx|hpp|pdb|obj)$/,
];
const places = [root, homedir(), tmpdir()].filter((place) => place.length > 4);

export function checkTexts(bytes) {
  const texts = bytes.toString('latin1').match(/[\x20-\x7e]{6,}/g) ?? [];
  const found = texts.filter(
    (text) => patterns.some((pattern) => pattern.test(text)) || places.some((place) => text.includes(place)),
  );
  const unique = [...new Set(found)];
  return unique.slice(0, 3).map((text) => `has a path of the machine that built it: ${text.slice(0, 120)}`);
}
