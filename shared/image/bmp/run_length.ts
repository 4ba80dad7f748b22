import { bmpCorrupt } from "./bmp_header.ts";

const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const DELTA = 2;

/**
 * Unpacks RLE8 or RLE4 to one index a pixel [height, width], in the order in which rows are stored.
 * Pixels that no run reaches keep index 0; what runs beyond a row's end is cut.
 *
 * @throws {ImageError} `corrupt` when the runs end before the picture does.
 */
export function unpackRuns(
  packed: Uint8Array,
  width: number,
  height: number,
  nibbles: boolean,
): Uint8Array {
  const result = new Uint8Array(width * height);
  let x = 0;
  let y = 0;
  const put = (index: number) => {
    if (x < width) result[y * width + x] = index;
    x++;
  };
  let at = 0;
  while (y < height) {
    const count = packed[at];
    const value = packed[at + 1];
    if (count === undefined || value === undefined) throw bmpCorrupt("its run lengths end early");
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) {
        put(!nibbles ? value : i & 1 ? value & 15 : value >> 4);
      }
    } else if (value === END_OF_LINE) {
      x = 0;
      y++;
    } else if (value === END_OF_BITMAP) {
      return result;
    } else if (value === DELTA) {
      x += packed[at] ?? 0;
      y += packed[at + 1] ?? 0;
      at += 2;
    } else {
      // `value` indices as they are, padded to a whole number of 16-bit words.
      for (let i = 0; i < value; i++) {
        const byte = packed[at + (nibbles ? i >> 1 : i)];
        if (byte === undefined) throw bmpCorrupt("its run lengths end early");
        put(!nibbles ? byte : i & 1 ? byte & 15 : byte >> 4);
      }
      const bytes = nibbles ? (value + 1) >> 1 : value;
      at += bytes + (bytes & 1);
    }
  }
  return result;
}
