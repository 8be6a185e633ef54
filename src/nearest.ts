// What a misspelt name was to be.

/** How many letters are to be put in, left out, replaced, or exchanged with their neighbour. */
export function distanceOf(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, k) => k);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let k = 1; k <= to.length; k++) {
      const isSame = from[i - 1] === to[k - 1];
      const isSwapped = from[i - 1] === to[k - 2] && from[i - 2] === to[k - 1];
      const [left, above, diagonal] = [next[k - 1], row[k], row[k - 1]] as [number, number, number];
      const swapped = isSwapped ? (before[k - 2] as number) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(left + 1, above + 1, diagonal + (isSame ? 0 : 1), swapped));
    }
    [before, row] = [row, next];
  }
  return row[to.length] as number;
}

/** Letters in one case, without what is between words. */
const plain = (name: string): string => name.slice(0, 40).toLowerCase().replace(/[-_]/g, '');

/** The known name that is most like the given one, or that it is the beginning of; undefined if none is. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const given = plain(name);
  const begun = known.filter((one) => given !== '' && plain(one).startsWith(given));
  if (begun.length === 1) return begun[0];
  let [nearest, least]: [string | undefined, number] = [undefined, 1 + given.length / 3];
  for (const one of known) {
    const distance = distanceOf(given, plain(one));
    if (distance < least) [nearest, least] = [one, distance];
  }
  return nearest;
}
