import { decodeImage } from "./decode.ts";
import type { Image } from "./image.ts";
import { lumaToRgb, rgbToLuma } from "./pixels.ts";
import { resize } from "./resize/resize.ts";

/** How an image becomes a network's input. It travels in the manifest, beside the weights. */
export interface PreprocessSpec {
  /** Pixels: a record is side x side. */
  readonly side: number;
  /**
   * "crop" (when left out) resizes the shorter side to `side` and takes the central square; "squash"
   * resizes both sides, whatever becomes of the proportions, as Caffe's image sets were made.
   */
  readonly resize?: "crop" | "squash" | undefined;
  /** Pixels: the central crop x crop of a record that the network sees; at most `side`. */
  readonly crop: number;
  /** 3 is colour, 1 is ITU-R 601 luma. */
  readonly channels: 1 | 3;
  /** The order of the planes of colour; "rgb" when left out. */
  readonly order?: "rgb" | "bgr" | undefined;
  /** For each plane in its order, in the units of pixels, 0 to 255. */
  readonly mean: readonly number[];
  /** For each plane in its order, in the units of pixels, above 0. */
  readonly std: readonly number[];
}

/** The part of a spec that decides a record. */
export type RecordSpec = Pick<PreprocessSpec, "side" | "channels" | "resize">;

export interface DecodeLimits {
  /** Most pixels that are decoded, see `decodeImage`. */
  readonly maxPixels?: number;
}

/**
 * Image to record [side, side, channels] of uint8, always RGB where it has colours: luma where
 * channels is 1 (and luma repeated where it is 3), shorter side resized to `side` (the longer one
 * truncated to whole pixels, as torchvision does) and the central square, or squashed into it.
 */
export function toRecord(image: Image, spec: RecordSpec): Uint8Array {
  const { side, channels } = spec;
  const source = withChannels(image, channels);
  if (spec.resize === "squash") return resize(source, { width: side, height: side }).data;
  const shorter = Math.min(source.width, source.height);
  const width = Math.floor(source.width * side / shorter);
  const height = Math.floor(source.height * side / shorter);
  const region = {
    x: Math.floor((width - side) / 2),
    y: Math.floor((height - side) / 2),
    width: side,
    height: side,
  };
  return resize(source, { width, height, region }).data;
}

/** File to record: decode at the scale that the record needs, then `toRecord`. */
export async function decodeRecord(
  bytes: Uint8Array,
  spec: RecordSpec,
  limits: DecodeLimits = {},
): Promise<Uint8Array> {
  return toRecord(await decodeImage(bytes, { ...limits, minSide: spec.side }), spec);
}

/**
 * Record to planes [channels, crop, crop] of float32, the crop at `offset` or in the centre.
 *
 * Order of operations, each rounded to float32 so that a GPU kernel can repeat it to the bit:
 * `value = (pixel - mean[c]) * inverseStd[c]` with `inverseStd = 1 / std` and mean and std rounded
 * to float32 first; no fused multiply-add can apply to a difference followed by a product.
 *
 * @throws {RangeError} when the record's length is not side * side * channels or the crop leaves
 * the record.
 */
export function recordToTensor(
  record: Uint8Array,
  spec: PreprocessSpec,
  offset?: { readonly x: number; readonly y: number },
): Float32Array<ArrayBuffer> {
  const { side, crop, channels } = spec;
  const { x, y } = offset ?? centreOffset(spec);
  if (record.length !== side * side * channels) {
    throw new RangeError(
      `Cannot make tensor: record has ${record.length} bytes ` +
        `(expected ${side} x ${side} x ${channels})`,
    );
  }
  if (!isInside(x, crop, side) || !isInside(y, crop, side)) {
    throw new RangeError(
      `Cannot make tensor: a crop of ${crop} at ${x},${y} leaves the record of ${side} x ${side}`,
    );
  }
  const tensor = new Float32Array(channels * crop * crop);
  let target = 0;
  for (let plane = 0; plane < channels; plane++) {
    const values = normalized(spec.mean[plane]!, spec.std[plane]!);
    const channel = spec.order === "bgr" ? channels - 1 - plane : plane;
    for (let row = 0; row < crop; row++) {
      let source = ((y + row) * side + x) * channels + channel;
      for (let column = 0; column < crop; column++, source += channels) {
        tensor[target++] = values[record[source]!]!;
      }
    }
  }
  return tensor;
}

function isInside(start: number, length: number, limit: number): boolean {
  return Number.isInteger(start) && start >= 0 && start + length <= limit;
}

/** Where the central crop begins: half the margin, rounded down. */
export function centreOffset(spec: { side: number; crop: number }): { x: number; y: number } {
  const offset = Math.floor((spec.side - spec.crop) / 2);
  return { x: offset, y: offset };
}

/**
 * The part of an upright picture of width x height that the network sees, in fractions of its sides:
 * what `toRecord` cuts off and what lies outside the central crop is not in it.
 */
export function seenRegion(
  { width, height }: { readonly width: number; readonly height: number },
  spec: Pick<PreprocessSpec, "side" | "crop" | "resize">,
): { x: number; y: number; width: number; height: number } {
  const { side, crop, resize } = spec;
  const shorter = resize === "squash" ? undefined : Math.min(width, height);
  const along = (length: number) => {
    const resized = shorter === undefined ? side : Math.floor(length * side / shorter);
    const start = Math.floor((resized - side) / 2) + Math.floor((side - crop) / 2);
    return [start / resized, crop / resized] as const;
  };
  const [[x, across], [y, down]] = [along(width), along(height)];
  return { x, y, width: across, height: down };
}

/**
 * File to network input [channels, crop, crop]: the whole of what evaluation and the service do to
 * an image.
 *
 * @throws {ImageError} when the bytes are not a readable image within the limits.
 */
export async function preprocess(
  bytes: Uint8Array,
  spec: PreprocessSpec,
  limits: DecodeLimits = {},
): Promise<Float32Array<ArrayBuffer>> {
  return recordToTensor(await decodeRecord(bytes, spec, limits), spec);
}

/** The 256 values that a channel can take; equal to computing each pixel, and several times faster. */
function normalized(mean: number, std: number): Float32Array {
  const mean32 = Math.fround(mean);
  const inverseStd = Math.fround(1 / Math.fround(std));
  return Float32Array.from({ length: 256 }, (_, pixel) => Math.fround(pixel - mean32) * inverseStd);
}

function withChannels(image: Image, channels: 1 | 3): Image {
  if (image.channels === channels) return image;
  const data = channels === 1 ? rgbToLuma(image.data) : lumaToRgb(image.data);
  return { ...image, channels, data };
}
