// Neumaier's sum (1974): Kahan's, also right where a term is larger than the sum so far. Its error does not grow with the
// number of terms.

export class Sum {
  #sum = 0;
  #lost = 0;

  add(term: number): void {
    const next = this.#sum + term;
    if (Math.abs(this.#sum) >= Math.abs(term)) this.#lost += this.#sum - next + term;
    else this.#lost += term - next + this.#sum;
    this.#sum = next;
  }

  get value(): number {
    // Of an infinite sum, what was lost is NaN.
    return Number.isFinite(this.#sum) ? this.#sum + this.#lost : this.#sum;
  }
}
