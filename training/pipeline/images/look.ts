/**
 * What an image looks like, in numbers that survive another size or compression, and numbers that
 * say how its kind of image was taken.
 * @module
 */
import { rgbToLuma } from "../../../shared/image/pixels.ts";
import { resize } from "../../../shared/image/resize/resize.ts";

/** Side of the record that is looked at, pixels. */
export const LOOK_SIDE = 64;
/** A bit says whether one of 16 x 16 cells is darker than its right neighbour. */
const CELLS = 16;
const WORDS = CELLS * CELLS / 32;

/**
 * The difference hash (Krawetz, "Kind of Like That", 2013) of 256 bits, as 64 hexadecimal digits.
 *
 * @param record [LOOK_SIDE, LOOK_SIDE, 3]
 */
export function lookOf(record: Uint8Array): string {
  const luma = {
    width: LOOK_SIDE,
    height: LOOK_SIDE,
    channels: 1 as const,
    data: rgbToLuma(record),
  };
  const { data } = resize(luma, { width: CELLS + 1, height: CELLS });
  const bytes = new Uint8Array(CELLS * CELLS / 8);
  for (let y = 0; y < CELLS; y++) {
    for (let x = 0; x < CELLS; x++) {
      const at = y * (CELLS + 1) + x;
      const bit = y * CELLS + x;
      if (data[at]! < data[at + 1]!) bytes[bit >> 3]! |= 1 << (bit & 7);
    }
  }
  return bytes.toHex();
}

/** In the order of `FEATURES`; all but the last from 0 to 1. */
export function featuresOf(
  record: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): number[] {
  const luma = rgbToLuma(record);
  let [sum, squares, saturation, steps] = [0, 0, 0, 0];
  for (let i = 0; i < luma.length; i++) {
    const value = luma[i]! / 255;
    sum += value;
    squares += value * value;
    const [r, g, b] = [record[3 * i]!, record[3 * i + 1]!, record[3 * i + 2]!];
    saturation += (Math.max(r, g, b) - Math.min(r, g, b)) / 255;
    if (i % LOOK_SIDE > 0) steps += Math.abs(value - luma[i - 1]! / 255);
  }
  const mean = sum / luma.length;
  const contrast = Math.sqrt(Math.max(0, squares / luma.length - mean * mean));
  return [
    mean,
    contrast,
    saturation / luma.length,
    steps / luma.length,
    Math.log2(width * height),
  ];
}

/** Finds images that look alike. */
export class LookIndex {
  readonly #mostBits: number;
  readonly #looks: Uint32Array[] = [];
  readonly #byWord = new Map<string, number[]>();

  /**
   * @param mostBits that two images which look alike differ in; fewer than 8, because of eight words
   * of 32 bits at least one is then the same, by which they are found
   */
  constructor(mostBits: number) {
    if (mostBits >= WORDS) {
      throw new RangeError(`Cannot find looks ${mostBits} bits apart (most 7)`);
    }
    this.#mostBits = mostBits;
  }

  /** Adds a look; it is known by its number, from 0. */
  add(look: string): void {
    const words = wordsOf(look);
    const number = this.#looks.push(words) - 1;
    for (const key of keysOf(words)) {
      const known = this.#byWord.get(key);
      if (known) known.push(number);
      else this.#byWord.set(key, [number]);
    }
  }

  /** The number of the first that looks alike, or undefined. */
  find(look: string): number | undefined {
    const words = wordsOf(look);
    let first: number | undefined;
    for (const key of keysOf(words)) {
      for (const number of this.#byWord.get(key) ?? []) {
        if (first !== undefined && number >= first) break;
        if (differingBits(words, this.#looks[number]!) <= this.#mostBits) first = number;
      }
    }
    return first;
  }
}

/** Words of plain areas are left out: half of all drawings share those. */
function keysOf(words: Uint32Array): string[] {
  return Array.from(words, (word, i) => `${i}:${word}`).filter((_, i) => words[i] !== 0);
}

function wordsOf(look: string): Uint32Array {
  return Uint32Array.from({ length: WORDS }, (_, i) => parseInt(look.slice(8 * i, 8 * i + 8), 16));
}

function differingBits(a: Uint32Array, b: Uint32Array): number {
  let bits = 0;
  for (let i = 0; i < WORDS; i++) {
    for (let word = a[i]! ^ b[i]!; word !== 0; word &= word - 1) bits++;
  }
  return bits;
}
