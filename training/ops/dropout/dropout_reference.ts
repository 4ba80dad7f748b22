/** Tests only: which numbers dropout keeps, computed on the CPU. */
import { toStorage } from "../layout.ts";
import { floatsOf, imageShape } from "../op.ts";
import type { Tensor } from "../op_harness.ts";

export interface DropoutDraw {
  readonly seed: number;
  readonly step: number;
  readonly part: number;
  readonly stream: number;
}

/** Multiplies by 1 or 0: the same mask takes the input to the output and the gradient back. */
export function applyMask({ shape, data }: Tensor, mask: ArrayLike<number>, scale = 1): Tensor {
  return { shape, data: Float64Array.from(data, (x, i) => x * mask[i]! * scale) };
}

/** 1 where a number of an NCHW tensor is kept. */
export function dropoutMask(shape: readonly number[], ratio: number, draw: DropoutDraw) {
  const [batch, channels, height = 1, width = 1] = shape as [number, number, number?, number?];
  const image = imageShape(channels, height, width);
  const count = batch * channels * height * width;
  // Where each number lies in memory: storage counts from 1, and 0 is padding.
  const places = new Int32Array(count);
  toStorage(Int32Array.from({ length: count }, (_, i) => i + 1), image, batch)
    .forEach((index, place) => {
      if (index > 0) places[index - 1] = place;
    });
  const stored = batch * floatsOf(image);
  return Array.from(places, (within) => {
    const place = draw.part * stored + within;
    const words = pcg4d([
      Math.floor(place / 4),
      draw.step,
      draw.stream,
      draw.seed,
    ]);
    return (words[place % 4]! >>> 8) / 2 ** 24 >= Math.fround(ratio) ? 1 : 0;
  });
}

/** pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020. */
export function pcg4d(counter: readonly [number, number, number, number]): Uint32Array {
  const v = Uint32Array.from(counter, (word) => Math.imul(word, 1664525) + 1013904223);
  mix(v);
  v.forEach((word, i) => v[i] = word ^ (word >>> 16));
  mix(v);
  return v;
}

/** Each word takes in the words before it as they have just become. */
function mix(v: Uint32Array): void {
  v[0]! += Math.imul(v[1]!, v[3]!);
  v[1]! += Math.imul(v[2]!, v[0]!);
  v[2]! += Math.imul(v[0]!, v[1]!);
  v[3]! += Math.imul(v[1]!, v[2]!);
}
