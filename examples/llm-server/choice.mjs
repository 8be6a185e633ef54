// One choice of a completion: a sequence of the batch, whose tokens become pieces of text,
// { text, tokens: [{ token, logProb, top, offset }] }.

export class Choice {
  tokens = [];
  isOver = false;
  finishReason = null;
  /** What was drawn and is not part of a piece yet. */
  #held = [];
  #text = '';
  #sent = 0;

  /** `number`: which choice of its prompt this is; onPiece(piece) is called until `isOver`. */
  constructor(model, request, prompt, number, { onPiece, onError }) {
    Object.assign(this, { model, request, onPiece, fail: onError });
    this.prompt = prompt.tokens;
    this.offset = prompt.text.length;
    this.choice = number;
    this.settings = request.settings;
    this.seed = request.seed;
    this.top = request.top;
  }

  push(drawn) {
    this.tokens.push(drawn.token);
    if (drawn.token === this.model.end) return this.#finish('stop', this.#text.length);
    this.#held.push({ ...drawn, offset: this.#text.length });
    this.#text = this.model.decode(this.tokens);
    const cut = this.#findStop();
    if (cut >= 0) return this.#finish('stop', cut);
    if (this.tokens.length === this.request.maxTokens) return this.#finish('length', this.#text.length);
    // What may be the beginning of a stop, or of a character of several tokens, waits.
    if (!this.#mayGoOn()) this.#send(this.#text.length);
  }

  #finish(reason, end) {
    this.isOver = true;
    this.finishReason = reason;
    this.#send(end);
  }

  #send(end) {
    const tokens = this.#held.filter(({ offset }) => offset < end);
    const piece = { text: this.#text.slice(this.#sent, end), tokens: tokens.map(this.#place) };
    this.#held = [];
    this.#sent = end;
    this.onPiece(piece);
  }

  #place = (token) => ({ ...token, offset: token.offset + this.offset });

  /** Where the first stop begins, or −1. What was sent before is part of none. */
  #findStop() {
    const places = this.request.stops.map((stop) => this.#text.indexOf(stop, this.#sent));
    const found = places.filter((place) => place >= 0);
    return found.length > 0 ? Math.min(...found) : -1;
  }

  #mayGoOn() {
    if (this.#text.endsWith('\uFFFD')) return true;
    const unsent = this.#text.slice(this.#sent);
    return this.request.stops.some((stop) => {
      for (let length = Math.min(stop.length - 1, unsent.length); length > 0; length--) {
        if (unsent.endsWith(stop.slice(0, length))) return true;
      }
      return false;
    });
  }
}
