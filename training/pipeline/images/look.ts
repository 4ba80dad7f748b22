/**
 * What an image looks like, in numbers that survive another size or compression, and numbers that
 * say how its kind of image was taken.
 * @module
 */
import { rgbToLuma } from "../../../shared/image/pixels.ts";
import { resize } from "../../../shared/image/resize/resize.ts";

/** Side of the record that is looked at, pixels. */
export const LOOK_SIDE = 64;
/** The cosine transform is of 32 x 32 cells; of it 8 x 8 low frequencies count. */
const CELLS = 32;
const FREQUENCIES = 8;
/** Bits are looked up a byte at a time. */
const BYTES = FREQUENCIES * FREQUENCIES / 8;

/** [FREQUENCIES, CELLS]: the cosines of frequencies 1 to 8; the mean, frequency 0, says no shape. */
const COSINES = Float64Array.from({ length: FREQUENCIES * CELLS }, (_, i) => {
  const [frequency, cell] = [1 + Math.floor(i / CELLS), i % CELLS];
  return Math.cos(Math.PI * frequency * (2 * cell + 1) / (2 * CELLS));
});

/**
 * A perceptual hash of 64 bits, as 16 hexadecimal digits: a bit says whether a low frequency of the
 * image is above the median of them all (Zauner, "Implementation and Benchmarking of Perceptual
 * Image Hash Functions", 2010).
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
  const { data } = resize(luma, { width: CELLS, height: CELLS });
  const rows = transformRows(Float64Array.from(data), CELLS);
  const amplitudes = transformRows(rows, FREQUENCIES);
  const sorted = amplitudes.toSorted();
  const median = (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
  const bytes = new Uint8Array(BYTES);
  amplitudes.forEach((value, bit) => {
    if (value > median) bytes[bit >> 3]! |= 1 << (bit & 7);
  });
  return bytes.toHex();
}

/** [rows, CELLS] to [FREQUENCIES, rows]: twice is the transform in both directions. */
function transformRows(values: Float64Array, rows: number): Float64Array {
  const out = new Float64Array(FREQUENCIES * rows);
  for (let frequency = 0; frequency < FREQUENCIES; frequency++) {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let cell = 0; cell < CELLS; cell++) {
        sum += values[row * CELLS + cell]! * COSINES[frequency * CELLS + cell]!;
      }
      out[frequency * rows + row] = sum;
    }
  }
  return out;
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
  readonly #looks: Uint8Array[] = [];
  /** Numbers of looks by place and value of a byte. */
  readonly #byByte = new Map<number, number[]>();

  /**
   * @param mostBits that two images which look alike differ in; fewer than 8, because of eight bytes
   * at least one is then the same, by which they are found
   */
  constructor(mostBits: number) {
    if (mostBits >= BYTES) {
      throw new RangeError(`Cannot find looks that are ${mostBits} bits apart (at most 7)`);
    }
    this.#mostBits = mostBits;
  }

  /** Adds a look; it is known by its number, from 0. */
  add(look: string): void {
    const bytes = Uint8Array.fromHex(look);
    const number = this.#looks.push(bytes) - 1;
    bytes.forEach((byte, place) => {
      const known = this.#byByte.get(place * 256 + byte);
      if (known) known.push(number);
      else this.#byByte.set(place * 256 + byte, [number]);
    });
  }

  /** The number of the first that looks alike, or undefined. */
  find(look: string): number | undefined {
    const bytes = Uint8Array.fromHex(look);
    let first: number | undefined;
    bytes.forEach((byte, place) => {
      for (const number of this.#byByte.get(place * 256 + byte) ?? []) {
        if (first !== undefined && number >= first) break;
        if (differingBits(bytes, this.#looks[number]!) <= this.#mostBits) first = number;
      }
    });
    return first;
  }
}

function differingBits(a: Uint8Array, b: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < BYTES; i++) for (let v = a[i]! ^ b[i]!; v !== 0; v &= v - 1) bits++;
  return bits;
}
