/**
 * From bytes to the network's input, on the GPU: only uint8 pixels and a few words an image cross
 * over. Without augmentation the arithmetic is that of `recordToTensor` in
 * shared/image/preprocess.ts, to the bit.
 * @module
 */
import type { PreprocessSpec } from "../../shared/image/preprocess.ts";
import { type Dispatch, flatWorkgroups, type KernelTarget, specialize } from "../gpu/kernel.ts";
import text from "./augment.wgsl" with { type: "text" };

const THREADS = 64;

export type AugmentBuffer = "records" | "crops" | "colors" | "means" | "images";

/** What is subtracted from a crop, for each of its pixels: [crop, crop] of four channels. */
export function meanPixels(
  { crop, channels, mean }: PreprocessSpec,
  meanCrop?: Float32Array | null,
): Float32Array<ArrayBuffer> {
  const means = new Float32Array(crop * crop * 4);
  for (let i = 0; i < crop * crop; i++) {
    for (let c = 0; c < channels; c++) {
      means[i * 4 + c] = meanCrop?.[i * channels + c] ?? mean[c]!;
    }
  }
  return means;
}

/**
 * records [batch, side, side, channels] uint8 -> images [batch, crop, crop, 4] as tensors are stored:
 * `(pixel - mean + shift) * (factor / std)`, the crop and its mirror image as `crops` say.
 *
 * @param batch images, each with a word in `crops` (see `drawCrops`) and four numbers in `colors`
 * (see `drawColors`); `means` are those of {@linkcode meanPixels}
 */
export function augment(
  spec: PreprocessSpec,
  batch: number,
  { maxWorkgroups, precision }: KernelTarget,
): Dispatch<AugmentBuffer> {
  const scale = (c: number) => Math.fround(1 / Math.fround(spec.std[c] ?? 1));
  return {
    kernel: {
      label: `augment ${batch} x ${spec.crop} of ${spec.side}`,
      code: specialize(text, {
        BATCH: batch,
        SIDE: spec.side,
        CROP: spec.crop,
        CHANNELS: spec.channels,
        SCALE_0: scale(0),
        SCALE_1: scale(1),
        SCALE_2: scale(2),
      }, precision),
    },
    bindings: ["records", "crops", "colors", "means", "images"].map((buffer) => ({
      buffer: buffer as AugmentBuffer,
    })),
    workgroups: flatWorkgroups(batch * spec.crop * spec.crop, THREADS, maxWorkgroups),
  };
}
