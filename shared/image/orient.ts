import type { Image } from "./image.ts";

/**
 * Turns stored pixels upright: applies EXIF orientation 1 to 8 (EXIF 2.32, tag 0x0112). 5 to 8 swap
 * width and height; 1 returns the image itself.
 */
export function orient(image: Image, orientation: number): Image {
  if (orientation === 1) return image;
  const { width, height, channels, data } = image;
  // The stored pixel under the upright corner, and the stored steps of one upright column and row.
  const [cornerX, cornerY, columnX, columnY, rowX, rowY] = {
    2: [width - 1, 0, -1, 0, 0, 1],
    3: [width - 1, height - 1, -1, 0, 0, -1],
    4: [0, height - 1, 1, 0, 0, -1],
    5: [0, 0, 0, 1, 1, 0],
    6: [0, height - 1, 0, -1, 1, 0],
    7: [width - 1, height - 1, 0, -1, -1, 0],
    8: [width - 1, 0, 0, 1, -1, 0],
  }[orientation as 2] ?? invalid(orientation);
  const swapped = orientation >= 5;
  const upWidth = swapped ? height : width;
  const upHeight = swapped ? width : height;
  const result = new Uint8Array(data.length);
  const columnStep = (columnX! + columnY! * width) * channels;
  const rowStep = (rowX! + rowY! * width) * channels;
  let rowStart = (cornerX! + cornerY! * width) * channels;
  let target = 0;
  for (let y = 0; y < upHeight; y++, rowStart += rowStep) {
    let source = rowStart;
    for (let x = 0; x < upWidth; x++, source += columnStep) {
      for (let channel = 0; channel < channels; channel++) {
        result[target++] = data[source + channel]!;
      }
    }
  }
  return { width: upWidth, height: upHeight, channels, data: result };
}

function invalid(orientation: number): never {
  throw new RangeError(`Cannot orient image: orientation is ${orientation} (expected 1 to 8)`);
}
