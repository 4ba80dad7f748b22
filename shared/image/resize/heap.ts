import { ImageError } from "../image.ts";
import { memory } from "./passes.wasm";
import { LOW_BITS, type Taps } from "./taps.ts";

/** The passes load and store whole vectors. */
const SLACK_BYTES = 16;
const PAGE_BYTES = 2 ** 16;
/** What a picture of 50 megapixels may need; only one of a few pixels' width wants more. */
const MOST_BYTES = 2 ** 29;

/** Where the weights of an axis lie: the arguments that the passes take one after the other. */
export type TapPlaces = readonly [
  starts: number,
  pairs: number,
  low: number,
  high: number,
  tapBytes: number,
];

/** Places in the memory of the passes, one behind the other. The memory never shrinks. */
export class Heap {
  #end = 0;

  /** @returns the address of so many bytes and the slack behind them */
  reserve(length: number): number {
    const address = this.#end;
    this.#end += Math.ceil((length + SLACK_BYTES) / SLACK_BYTES) * SLACK_BYTES;
    return address;
  }

  /**
   * Makes sure that all that was reserved is there. Views from before are of no use.
   *
   * @throws {ImageError} `too-large`
   */
  grow(): void {
    if (this.#end > MOST_BYTES) {
      throw new ImageError("too-large", `Cannot resize image: it takes ${this.#end} bytes`);
    }
    const missing = this.#end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  }

  reserveTaps({ count, size }: Taps): TapPlaces {
    // A pass over luma takes four pairs at once.
    const tapBytes = Math.ceil(size / 8) * 16;
    const numbers = 4 * count.length;
    const weights = count.length * tapBytes;
    return [
      this.reserve(numbers),
      this.reserve(numbers),
      this.reserve(weights),
      this.reserve(weights),
      tapBytes,
    ];
  }
}

/** The bytes at an address, until the memory grows. */
export function bytesAt(address: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, address, length);
}

/**
 * Writes the weights of an axis as the passes read them.
 *
 * @param stride bytes between two samples of the axis
 * @param first sample that lies where the pass begins to read
 */
export function writeTaps(places: TapPlaces, taps: Taps, stride: number, first = 0): void {
  const [starts, pairs, low, high, tapBytes] = places;
  const { start, count, weights, size } = taps;
  const targets = count.length;
  const startsAt = new Int32Array(memory.buffer, starts, targets);
  const pairsAt = new Int32Array(memory.buffer, pairs, targets);
  const perTarget = tapBytes / 2;
  const lows = new Int16Array(memory.buffer, low, targets * perTarget).fill(0);
  const highs = new Int16Array(memory.buffer, high, targets * perTarget).fill(0);
  for (let i = 0; i < targets; i++) {
    startsAt[i] = (start[i]! - first) * stride;
    pairsAt[i] = Math.ceil(count[i]! / 2);
    for (let k = 0; k < count[i]!; k++) {
      const weight = weights[i * size + k]!;
      lows[i * perTarget + k] = weight & ((1 << LOW_BITS) - 1);
      highs[i * perTarget + k] = weight >> LOW_BITS;
    }
  }
}
