// In place of node:crypto, of which the corpus takes createHash: browsers have hashes of whole arrays alone, as promises.

class Hash {
  #bytes = new Uint8Array(2 ** 20);
  #length = 0;

  update(bytes) {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const longer = new Uint8Array(2 * length);
      longer.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = longer;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  async digest() {
    const hash = await crypto.subtle.digest('SHA-256', this.#bytes.subarray(0, this.#length));
    return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  }
}

export const createHash = () => new Hash();
