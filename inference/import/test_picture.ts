import { encodePng } from "../png.ts";

const SIDE = 96;

/**
 * A picture for a model's self-test where none is given: slopes of each colour, a disc and stripes, so
 * that swapped planes, a turned image or another resize change the answer. 5 kB.
 */
export function testPicture(): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const inside = (x - 30) ** 2 + (y - 38) ** 2 < 20 ** 2;
      const stripe = y > 64 && (x >> 2) % 2 === 0;
      data.set(
        inside ? [240, 90, 20] : stripe ? [250, 250, 250] : [2 * x, 2 * y, 190 - x - (y >> 1)],
        (y * SIDE + x) * 3,
      );
    }
  }
  return encodePng({ width: SIDE, height: SIDE, channels: 3, data });
}
