/** A link whose bandwidth the transfers on it share evenly, each at most at its client's own rate. */
export class FairShare {
  readonly #capacity: number;
  readonly #clientRate: number;
  /** Bytes that a transfer which was there from the beginning would have got: all get the same. */
  #served = 0;
  #at = 0;
  /** What `#served` is when a transfer ends, ascending. */
  readonly #ends: { readonly served: number; readonly done: (at: number) => void }[] = [];

  /** @param capacity bytes a second of the link; @param clientRate of one transfer */
  constructor(capacity: number, clientRate: number) {
    this.#capacity = capacity;
    this.#clientRate = clientRate;
  }

  /** Transfers under way. */
  get active(): number {
    return this.#ends.length;
  }

  /** Bytes a second of each transfer, as many as there are now. */
  get rate(): number {
    return Math.min(this.#clientRate, this.#capacity / Math.max(1, this.#ends.length));
  }

  /** Begins a transfer at a time that is not before any other call's. */
  begin(at: number, bytes: number, done: (at: number) => void): void {
    this.#advance(at);
    const served = this.#served + bytes;
    const place = this.#ends.findIndex((end) => end.served > served);
    this.#ends.splice(place < 0 ? this.#ends.length : place, 0, { served, done });
  }

  /** When the next transfer ends, if no other begins before. */
  next(): number {
    const [first] = this.#ends;
    return first === undefined ? Infinity : this.#at + (first.served - this.#served) / this.rate;
  }

  /** Ends that transfer. */
  finish(): void {
    const at = this.next();
    this.#advance(at);
    this.#ends.shift()!.done(at);
  }

  #advance(at: number): void {
    this.#served += (at - this.#at) * this.rate;
    this.#at = at;
  }
}
