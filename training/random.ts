/**
 * Random numbers as a pure function of (seed, stream, counter): nothing to save but a counter, and
 * any number of independent streams without coordination.
 *
 * Philox4x32-10 of Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.
 * @module
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16;
  const bLow = b & 0xffff, bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/**
 * One Philox4x32-10 block: 128 random bits of a 128-bit counter and a 64-bit key.
 *
 * @param counter four unsigned 32-bit words, least significant first
 * @param key two unsigned 32-bit words
 * @param out receives four unsigned 32-bit words; may be `counter`
 */
export function philox4x32(
  counter: ArrayLike<number>,
  key: ArrayLike<number>,
  out: Uint32Array = new Uint32Array(4),
): Uint32Array {
  let [c0, c1, c2, c3] = [
    counter[0]! >>> 0,
    counter[1]! >>> 0,
    counter[2]! >>> 0,
    counter[3]! >>> 0,
  ];
  let [k0, k1] = [key[0]! >>> 0, key[1]! >>> 0];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0), low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2), low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
  return out;
}

/**
 * A sequence of Philox words read from a counter. Two generators of the same seed and stream give
 * the same sequence on every machine; different streams of one seed do not overlap.
 */
export class Random {
  readonly #key: [number, number];
  readonly #counter: [number, number, number, number];
  readonly #block = new Uint32Array(4);
  #next = 0;

  /**
   * @param seed integer, 0 to 2^53 - 1
   * @param stream integer, 0 to 2^53 - 1: an epoch, the index of an image, …
   * @throws {RangeError} seed or stream is not such an integer
   */
  constructor(seed: number, stream = 0) {
    for (const [name, value] of [["seed", seed], ["stream", stream]] as const) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(
          `Cannot seed random numbers: ${name} is ${value} (expected an integer from 0 to 2^53 - 1)`,
        );
      }
    }
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#counter = [0, 0, stream >>> 0, Math.floor(stream / 2 ** 32)];
  }

  /** Words drawn so far. */
  get position(): number {
    return this.#next;
  }

  /** Moves to a word of the sequence, forwards or backwards, at no cost. */
  set position(word: number) {
    if (!Number.isSafeInteger(word) || word < 0) {
      throw new RangeError(`Cannot move in random numbers: position is ${word}`);
    }
    this.#next = word;
    if (word % 4 !== 0) this.#fill();
  }

  #fill(): void {
    const block = Math.floor(this.#next / 4);
    this.#counter[0] = block >>> 0;
    this.#counter[1] = Math.floor(block / 2 ** 32);
    philox4x32(this.#counter, this.#key, this.#block);
  }

  /** An unsigned 32-bit integer. */
  uint32(): number {
    const lane = this.#next % 4;
    if (lane === 0) this.#fill();
    this.#next++;
    return this.#block[lane]!;
  }

  /** A number in [0, 1), a multiple of 2^-32. */
  float(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.float();
  }

  /** An integer in [0, bound); a value's probability is off by less than 2^-32. */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** A sample of the standard normal distribution (Box-Muller, the cosine half). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }
}

/** Shuffles in place by Fisher-Yates: every order is equally likely, one word an element. */
export function shuffle<T extends Uint32Array | unknown[]>(items: T, random: Random): T {
  for (let last = items.length - 1; last > 0; last--) {
    const chosen = random.below(last + 1);
    const held = items[last]!;
    items[last] = items[chosen]!;
    items[chosen] = held;
  }
  return items;
}
