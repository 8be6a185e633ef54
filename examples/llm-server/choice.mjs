// One choice of a completion: a sequence of the batch, whose tokens become pieces of text,
// { text, tokens: [{ token, logProb, top, offset }] }.

export class Choice {
  tokens = [];
  isOver = false;
  finishReason = null;
  /** What was drawn and is not part of a piece yet. */
  #held = [];
  /** The tokens of the piece before, at first the last ones of the prompt. */
  #before;
  #text = '';
  #sent = 0;

  /** `number`: which choice of its prompt this is; onPiece(piece) is called until `isOver`. */
  constructor(model, request, prompt, number, { onPiece, onError }) {
    Object.assign(this, { model, request, onPiece, fail: onError });
    this.prompt = prompt.tokens;
    this.context = [...prompt.tokens];
    this.#before = prompt.tokens.slice(-8);
    this.offset = prompt.text.length;
    this.choice = number;
    this.settings = request.settings;
    this.seed = request.seed;
    this.top = request.top;
  }

  push(drawn) {
    this.tokens.push(drawn.token);
    this.context.push(drawn.token);
    if (drawn.token === this.model.end) return this.#finish('stop', this.#text.length);
    this.#held.push({ ...drawn, offset: this.#text.length });
    this.#text = this.#decode();
    const cut = this.#findStop();
    if (cut >= 0) {
      this.#held = this.#held.filter(({ offset }) => offset < cut);
      return this.#finish('stop', cut);
    }
    if (this.tokens.length === this.request.maxTokens) return this.#finish('length', this.#text.length);
    // What may be the beginning of a stop, or of a character of several tokens, waits.
    if (!this.#mayGoOn()) this.#send(this.#text.length);
  }

  /**
   * The whole text. Only the last tokens are decoded: those that are held, as a character may need several, after those of
   * the piece before, as a word's first token may be of another text where nothing stands before it.
   */
  #decode() {
    const { decode } = this.model;
    const held = this.#held.map(({ token }) => token);
    return (
      this.#text.slice(0, this.#sent) + decode([...this.#before, ...held]).slice(decode(this.#before).length)
    );
  }

  #finish(reason, end) {
    this.isOver = true;
    this.finishReason = reason;
    this.#send(end);
  }

  #send(end) {
    const piece = { text: this.#text.slice(this.#sent, end), tokens: this.#held.map(this.#place) };
    this.#before = this.#held.map(({ token }) => token);
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
