/** How pixels become the network's input: what is subtracted, and what they are divided by. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { centreOffset } from "../shared/image/preprocess.ts";
import type { Config } from "./config.ts";
import type { Statistics } from "./dataset/statistics.ts";
import { writeAtomically } from "./write_atomically.ts";

/** In units of a pixel, 0 to 255. */
export interface Normalization {
  /** Per channel: of every training pixel. */
  readonly mean: number[];
  /** Per channel: the deviation, or 1 where pixels keep their scale. */
  readonly std: number[];
  /**
   * [crop, crop, channels]: the central crop of the mean image, where that is subtracted in place of
   * `mean`. It is subtracted from every crop, wherever it was taken and mirrored or not, as the
   * published code does (its `data_mean_crop`): a trained network so sees one and the same mean in
   * training, in each view of a test and in the service.
   */
  readonly meanCrop: Float32Array<ArrayBuffer> | null;
}

/** A run's normalization, from the statistics of its training split at this side. */
export function normalize(
  { mean, std, meanImage }: Statistics,
  config: Pick<Config, "mean" | "standardize" | "side">,
  crop: number,
): Normalization {
  return {
    mean,
    // A channel that never varies says nothing, whatever it is divided by; 1 keeps it finite.
    std: std.map((value) => config.standardize && value > 0 ? value : 1),
    meanCrop: config.mean === "channel"
      ? null
      : centralCrop(meanImage, { side: config.side, crop, channels: mean.length }),
  };
}

function centralCrop(
  image: Float32Array,
  { side, crop, channels }: { side: number; crop: number; channels: number },
): Float32Array<ArrayBuffer> {
  const { x, y } = centreOffset({ side, crop });
  const rowFloats = crop * channels;
  const out = new Float32Array(crop * rowFloats);
  for (let row = 0; row < crop; row++) {
    const from = ((y + row) * side + x) * channels;
    out.set(image.subarray(from, from + rowFloats), row * rowFloats);
  }
  return out;
}

/**
 * What is left to subtract from a tensor of `recordToTensor`, which took `mean` off:
 * [channels, crop, crop], `(meanCrop - mean) / std`.
 */
export function residualOf(
  { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] },
  meanCrop: Float32Array,
): Float32Array<ArrayBuffer> {
  const channels = mean.length, pixels = meanCrop.length / channels;
  return Float32Array.from({ length: meanCrop.length }, (_, i) => {
    const c = Math.floor(i / pixels);
    return (meanCrop[(i % pixels) * channels + c]! - mean[c]!) / std[c]!;
  });
}

const MEAN_CROP_FILE = "mean_crop.f32";

/** The sha256, hex, by which a run names its mean crop. */
export function meanCropHash(meanCrop: Float32Array): string {
  return createHash("sha256").update(bytesOf(meanCrop)).digest("hex");
}

/** Writes the mean crop into a run's folder, as little-endian float32. */
export async function saveMeanCrop(folder: string, meanCrop: Float32Array): Promise<void> {
  await writeAtomically(join(folder, MEAN_CROP_FILE), [bytesOf(meanCrop)]);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws {SyntaxError} where the file is absent or not the one that the run was trained with. */
export async function readMeanCrop(
  folder: string,
  sha256: string,
): Promise<Float32Array<ArrayBuffer>> {
  const path = join(folder, MEAN_CROP_FILE);
  const refuse = (reason: string, cause?: unknown) =>
    new SyntaxError(`Cannot use run ${folder}: ${MEAN_CROP_FILE} ${reason}`, { cause });
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw refuse("is not there, and the network was trained on images less that mean", error);
  }
  const meanCrop = bytes.length % 4 === 0 ? new Float32Array(bytes.buffer) : null;
  if (!meanCrop || meanCropHash(meanCrop) !== sha256) throw refuse("was truncated or altered");
  return meanCrop;
}
