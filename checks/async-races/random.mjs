// Seeded random numbers, as those of test/helpers/random.ts, for scripts that a bare Node runs.

/** sfc32 (Chris Doty-Humphrey). */
export class Random {
  #a = 0;
  #b = 0;
  #c;
  #counter = 1;

  constructor(seed) {
    this.#c = seed | 0;
    for (let i = 0; i < 16; i++) this.bits();
  }

  bits() {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1). */
  unit() {
    return this.bits() / 2 ** 32;
  }

  /** In [0, bound). */
  integer(bound) {
    return Math.floor(this.unit() * bound);
  }

  chance(probability) {
    return this.unit() < probability;
  }

  pick(list) {
    return list[this.integer(list.length)];
  }
}
