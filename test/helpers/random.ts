// Seeded random numbers and the rows that the tests run over: the same in every run and on every backend.

/** An array with those elements: in a loop, as `from` takes twice as long, and tests draw millions. */
function filled<Values extends Float32Array | Int32Array>(values: Values, next: () => number): Values {
  for (let i = 0; i < values.length; i++) values[i] = next();
  return values;
}

/** sfc32 (Chris Doty-Humphrey): 128 bits of state, passes PractRand. */
export class Random {
  #a = 0;
  #b = 0;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    for (let i = 0; i < 16; i++) this.#bits();
  }

  #bits(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [low, high). */
  uniform(low = 0, high = 1): number {
    const unit = ((this.#bits() >>> 5) * 2 ** 26 + (this.#bits() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  /** An integer in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.uniform(0, bound));
  }

  /** Box–Muller. */
  normal(deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  normals(length: number, deviation = 1): Float32Array {
    return filled(new Float32Array(length), () => this.normal(deviation));
  }

  uniforms(length: number, low: number, high: number): Float32Array {
    return filled(new Float32Array(length), () => this.uniform(low, high));
  }

  /** Integers in [0, bound), as class indices. */
  classes(length: number, bound: number): Int32Array {
    return filled(new Int32Array(length), () => this.integer(bound));
  }
}

export interface TestRow {
  readonly row: Float32Array;
  /** What a failing assertion shows. */
  readonly label: string;
  /** For whatever else the test draws. */
  readonly random: Random;
}

/** 1 to 300, all of them. */
export const shortLengths: readonly number[] = Array.from({ length: 300 }, (_, i) => i + 1);
/** And longer ones; 5000 is more than one block of 4096. */
export const allLengths: readonly number[] = [...shortLengths, 1000, 5000];

/** A row of normal variates for each length and standard deviation. */
export function* rowsOf(
  seed: number,
  lengths: readonly number[] = allLengths,
  deviations: readonly number[] = [0.1, 1, 10, 100],
): Generator<TestRow> {
  const random = new Random(seed);
  for (const deviation of deviations)
    for (const length of lengths) {
      const label = `seed ${seed}, length ${length}, deviation ${deviation}`;
      yield { row: random.normals(length, deviation), label, random };
    }
}
