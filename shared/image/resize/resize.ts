import type { Image } from "../image.ts";
import { bytesAt, Heap, writeTaps } from "./heap.ts";
import { acrossLuma, acrossRgb, down } from "./passes.wasm";
import { triangleTaps } from "./taps.ts";

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

/** Source rows are handed to the first pass so many bytes at a time. */
const BAND_BYTES = 2 ** 20;

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

  const { channels } = image;
  const stride = region.width * channels;
  const across = triangleTaps(image.width, width, region.x, region.width);
  const below = triangleTaps(image.height, height, region.y, region.height);
  // Only the rows that the second pass reads take part in the first.
  const firstRow = below.start[0]!;
  const lastRow = below.start[region.height - 1]! + below.count[region.height - 1]!;
  const rows = lastRow - firstRow;

  const heap = new Heap();
  const acrossTaps = heap.reserveTaps(across);
  const belowTaps = heap.reserveTaps(below);
  // The second pass weighs pairs of rows, of which the last may be one too many.
  const narrow = heap.reserve((rows + 1) * stride);
  const result = heap.reserve(region.height * stride);
  const sourceStride = image.width * channels;
  const bandRows = Math.min(Math.max(Math.floor(BAND_BYTES / sourceStride), 1), rows);
  const band = heap.reserve(bandRows * sourceStride);
  heap.grow();
  writeTaps(acrossTaps, across, channels);
  writeTaps(belowTaps, below, stride, firstRow);

  const pass = channels === 3 ? acrossRgb : acrossLuma;
  for (let row = 0; row < rows; row += bandRows) {
    const some = Math.min(bandRows, rows - row);
    const from = (firstRow + row) * sourceStride;
    const source = image.data.subarray(from, from + some * sourceStride);
    bytesAt(band, source.length).set(source);
    pass(band, sourceStride, some, ...acrossTaps, narrow + row * stride, region.width);
  }
  down(narrow, stride, ...belowTaps, result, region.height);
  const data = bytesAt(result, region.height * stride).slice();
  return { width: region.width, height: region.height, channels, data };
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
