/**
 * Numbers that depend on their place alone: a kernel fills a buffer of any size with them, and the
 * check of a result computes on the CPU only the few that it needs.
 * @module
 */
import { type Dispatch, flatWorkgroups, specialize } from "../../../training/gpu/kernel.ts";
import { floatsOf, type Shape } from "../../../training/ops/op.ts";
import text from "./noise.wgsl" with { type: "text" };

/** In [-1, 1), a multiple of 2^-23. PCG's output function: O'Neill, HMC-CS-2014-0905. */
export function noise(place: number, seed: number): number {
  let h = (Math.imul(place, 747796405) + seed) >>> 0;
  h = Math.imul((h >>> ((h >>> 28) + 4)) ^ h, 277803737) >>> 0;
  h = ((h >>> 22) ^ h) >>> 0;
  return (h >>> 8) * 2 ** -23 - 1;
}

/** Fills a tensor of `batch` images in memory's layout, padding with zeros. */
export function fillWithNoise<Ref>(
  buffer: Ref,
  shape: Shape,
  options: { readonly batch: number; readonly seed: number; readonly maxWorkgroups: number },
): Dispatch<Ref> {
  const { stride, channels } = shape.flattened ?? shape;
  const count = options.batch * floatsOf(shape);
  const constants = { COUNT: count, SEED: options.seed, STRIDE: stride, CHANNELS: channels };
  return {
    kernel: { label: `noise ${count}`, code: specialize(text, constants) },
    bindings: [{ buffer }],
    workgroups: flatWorkgroups(count, 64, options.maxWorkgroups),
  };
}

/** The number at a place of such a tensor. */
export function noiseAt(
  shape: Shape,
  seed: number,
  at: { image: number; channel: number; y: number; x: number },
): number {
  return noise(placeOf(shape, at), seed);
}

/** Where in memory a number is: NHWC with padded channels, a flattened image as the image lies. */
export function placeOf(
  shape: Shape,
  { image, channel, y, x }: { image: number; channel: number; y: number; x: number },
): number {
  const { flattened } = shape;
  const { height, width, stride } = flattened ?? shape;
  if (!flattened) return ((image * height + y) * width + x) * stride + channel;
  const pixels = height * width;
  const pixel = image * pixels + channel % pixels;
  return pixel * stride + Math.floor(channel / pixels);
}

/** A parameter in ONNX's layout. */
export function noiseArray(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, place) => noise(place, seed));
}
