import type { Image } from "./image.ts";

/** A rectangle in pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface ResizeOptions {
  /** Size of the whole result in pixels. */
  readonly width: number;
  readonly height: number;
  /** The part of the result that is computed and returned; all of it when left out. */
  readonly region?: Region;
}

/** Weights in fixed point; 22 bits keep a sum of 8-bit samples within 31 bits, as in Pillow. */
const PRECISION_BITS = 22;

/** Weights of the source samples under each target sample of one axis. */
interface Taps {
  /** First source sample of each target sample. */
  readonly start: Int32Array;
  /** Number of source samples of each target sample. */
  readonly count: Int32Array;
  /** `size` weights for each target sample, of which `count` are used. */
  readonly weights: Int32Array;
  readonly size: number;
}

/**
 * Resamples with a triangle filter whose support grows with the reduction (antialiased bilinear),
 * across first, then down, rounding to 8 bits in between: Pillow's `resize(size, BILINEAR)` bit for
 * bit, except where the width grows and the height shrinks, for which Pillow goes down first and
 * samples differ by at most 1. With `region`, equal to resizing the whole and cropping afterwards,
 * at the cost of the region alone.
 *
 * @throws {RangeError} when a size is not a positive integer or the region leaves the result.
 */
export function resize(image: Image, options: ResizeOptions): Image {
  const { width, height } = options;
  const region = options.region ?? { x: 0, y: 0, width, height };
  requireRegion(region, width, height);
  const isSame = [image.width, region.width].every((size) => size === width) &&
    [image.height, region.height].every((size) => size === height);
  // Every weight would be 1: the same samples, which small sets have by the ten thousand.
  if (isSame) return image;

  const across = triangleTaps(image.width, width, region.x, region.width);
  const down = triangleTaps(image.height, height, region.y, region.height);
  // Only the rows that the second pass reads take part in the first.
  const firstRow = down.start[0]!;
  const lastRow = down.start[region.height - 1]! + down.count[region.height - 1]!;
  const rows = lastRow - firstRow;
  const narrow = image.channels === 3
    ? acrossRgb(image, across, region.width, firstRow, rows)
    : acrossLuma(image, across, region.width, firstRow, rows);
  const data = downRows(narrow, region.width * image.channels, down, region.height, firstRow);
  return { width: region.width, height: region.height, channels: image.channels, data };
}

/** Taps for target samples `first` to `first + length` of an axis resized from `source` to `target`. */
function triangleTaps(source: number, target: number, first: number, length: number): Taps {
  const scale = source / target;
  const support = Math.max(scale, 1);
  const inverseSupport = 1 / support;
  const size = Math.ceil(support) * 2 + 1;
  const start = new Int32Array(length);
  const count = new Int32Array(length);
  const weights = new Int32Array(length * size);
  const row = new Float64Array(size);
  for (let i = 0; i < length; i++) {
    const center = (first + i + 0.5) * scale;
    const from = Math.max(Math.trunc(center - support + 0.5), 0);
    const to = Math.min(Math.trunc(center + support + 0.5), source);
    let sum = 0;
    for (let x = from; x < to; x++) {
      const distance = Math.abs((x - center + 0.5) * inverseSupport);
      const weight = distance < 1 ? 1 - distance : 0;
      row[x - from] = weight;
      sum += weight;
    }
    start[i] = from;
    count[i] = to - from;
    for (let x = 0; x < to - from; x++) {
      weights[i * size + x] = Math.trunc(row[x]! / sum * (1 << PRECISION_BITS) + 0.5);
    }
  }
  return { start, count, weights, size };
}

const HALF = 1 << (PRECISION_BITS - 1);

/** First pass on RGB: rows of image.width to rows of `width`. */
function acrossRgb(
  image: Image,
  taps: Taps,
  width: number,
  firstRow: number,
  rows: number,
): Uint8Array {
  const { data } = image;
  const { start, count, weights, size } = taps;
  const result = new Uint8Array(rows * width * 3);
  let target = 0;
  for (let y = 0; y < rows; y++) {
    const rowStart = (firstRow + y) * image.width * 3;
    for (let x = 0; x < width; x++) {
      let red = HALF, green = HALF, blue = HALF;
      let at = rowStart + start[x]! * 3;
      const weightsStart = x * size;
      const weightsEnd = weightsStart + count[x]!;
      for (let k = weightsStart; k < weightsEnd; k++, at += 3) {
        const weight = weights[k]!;
        red += Math.imul(data[at]!, weight);
        green += Math.imul(data[at + 1]!, weight);
        blue += Math.imul(data[at + 2]!, weight);
      }
      result[target] = clip(red);
      result[target + 1] = clip(green);
      result[target + 2] = clip(blue);
      target += 3;
    }
  }
  return result;
}

/** First pass on luma: rows of image.width to rows of `width`. */
function acrossLuma(
  image: Image,
  taps: Taps,
  width: number,
  firstRow: number,
  rows: number,
): Uint8Array {
  const { data } = image;
  const { start, count, weights, size } = taps;
  const result = new Uint8Array(rows * width);
  for (let y = 0, target = 0; y < rows; y++) {
    const rowStart = (firstRow + y) * image.width;
    for (let x = 0; x < width; x++) {
      let sum = HALF;
      const at = rowStart + start[x]!;
      for (let k = 0; k < count[x]!; k++) {
        sum += Math.imul(data[at + k]!, weights[x * size + k]!);
      }
      result[target++] = clip(sum);
    }
  }
  return result;
}

/** Second pass: weighs whole rows of `stride` samples, whatever their channels. */
function downRows(
  rows: Uint8Array,
  stride: number,
  taps: Taps,
  height: number,
  firstRow: number,
): Uint8Array {
  const { start, count, weights, size } = taps;
  const result = new Uint8Array(height * stride);
  const sums = new Int32Array(stride);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * size + k]!;
      const rowStart = (start[y]! - firstRow + k) * stride;
      for (let x = 0; x < stride; x++) {
        sums[x] = sums[x]! + Math.imul(rows[rowStart + x]!, weight);
      }
    }
    for (let x = 0; x < stride; x++) result[y * stride + x] = clip(sums[x]!);
  }
  return result;
}

/** Back to 8 bits; rounded weights may add up to a little over 1. */
function clip(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value > 255 ? 255 : value;
}

function requireRegion(region: Region, width: number, height: number): void {
  const sizes = [width, height, region.width, region.height];
  const inside = region.x >= 0 && region.y >= 0 && region.x + region.width <= width &&
    region.y + region.height <= height;
  const integers = [...sizes, region.x, region.y].every(Number.isSafeInteger);
  if (integers && sizes.every((size) => size > 0) && inside) return;
  throw new RangeError(
    `Cannot resize image: region ${region.width} x ${region.height} at ${region.x},${region.y} of ` +
      `${width} x ${height} (expected positive integers and a region inside the result)`,
  );
}
