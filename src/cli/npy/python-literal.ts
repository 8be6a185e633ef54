// Reads what Python prints for a dict of strings, booleans, integers, None, tuples and lists: the header of a .npy file.

import { Failure, shownName } from '../failures.js';

export type Literal = string | boolean | number | null | readonly Literal[];

/** Nobody nests deeper, and recursion has an end. */
const deepest = 16;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** What a sticky pattern finds here, after white space and comments. */
  #take(pattern: RegExp): RegExpExecArray | undefined {
    const space = /(?:[ \t\f\r\n]+|#[^\r\n]*)*/y;
    space.lastIndex = this.#at;
    space.exec(this.#text);
    pattern.lastIndex = space.lastIndex;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** The text is no such dict: where it stops being one. */
  fail(wanted: string): Failure {
    return new Failure(`its header is malformed: ${wanted} is missing at character ${this.#at}`);
  }

  string(): string | undefined {
    // Python 2 wrote u'descr'.
    const found = this.#take(/[uU]?(?:'([^'\\\n]*)'|"([^"\\\n]*)")/y);
    return found && (found[1] ?? found[2]);
  }

  dict(): Map<string, Literal> {
    const entries = new Map<string, Literal>();
    if (!this.#take(/\{/y)) throw this.fail('{');
    while (!this.#take(/\}/y)) {
      const key = this.string();
      if (key === undefined) throw this.fail('a key');
      if (entries.has(key)) throw new Failure(`its header has the key '${shownName(key)}' twice`);
      if (!this.#take(/:/y)) throw this.fail(':');
      entries.set(key, this.#value(0));
      if (this.#take(/,/y)) continue;
      if (this.#take(/\}/y)) break;
      throw this.fail('a comma');
    }
    if (!this.#take(/$/y)) throw new Failure(`its header goes on after its dict, at character ${this.#at}`);
    return entries;
  }

  #value(depth: number): Literal {
    const word = this.#take(/True\b|False\b|None\b/y);
    if (word) return word[0] === 'None' ? null : word[0] === 'True';
    // Python 2 wrote 3L.
    const integer = this.#take(/(-?\d+)L?(?![\w.])/y);
    if (integer) return Number(integer[1]);
    const text = this.string();
    if (text !== undefined) return text;
    if (depth < deepest) {
      if (this.#take(/\(/y)) return this.#items(/\)/y, depth + 1, true);
      if (this.#take(/\[/y)) return this.#items(/\]/y, depth + 1, false);
    }
    throw this.fail('a value');
  }

  /** `isTuple`: `(3)` is no tuple, but a number in parentheses. */
  #items(end: RegExp, depth: number, isTuple: boolean): Literal {
    const items: Literal[] = [];
    while (!this.#take(end)) {
      items.push(this.#value(depth));
      if (this.#take(/,/y)) continue;
      if (!this.#take(end)) throw this.fail('a comma');
      return isTuple && items.length === 1 ? (items[0] as Literal) : items;
    }
    return items;
  }
}

export const readDict = (text: string): Map<string, Literal> => new Reader(text).dict();
