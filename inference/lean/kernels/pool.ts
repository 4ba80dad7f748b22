// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Pooling of one image's map, float32: each tap of a window is joined into the output's pixel, so
// that the inner loop runs over all channels.
import { zeroOr } from "./vector.ts";

/**
 * The largest, or the mean, of each window.
 *
 * @param vectors channels / 4, rounded up
 * @param top, left padding before the map, bottom, right behind it: what the mean may count
 * @param mode 0 maximum, 1 mean of what lies in the map, 2 mean that counts the padding
 */
// deno-fmt-ignore
export function poolF32(
  input: usize, height: i32, width: i32, rowBytes: i32, pixelBytes: i32,
  output: usize, outHeight: i32, outWidth: i32, outRowBytes: i32, outPixelBytes: i32,
  vectors: i32, kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32,
  top: i32, left: i32, bottom: i32, right: i32, mode: i32, relu: bool,
): void {
  const bytes = vectors << 4;
  for (let y = 0; y < outHeight; y++) {
    const fromY = y * strideY - top;
    const y0 = max(fromY, 0);
    const y1 = min(fromY + kernelHeight, height);
    for (let x = 0; x < outWidth; x++) {
      const fromX = x * strideX - left;
      const x0 = max(fromX, 0);
      const x1 = min(fromX + kernelWidth, width);
      const to = output + y * outRowBytes + x * outPixelBytes;
      const from = input + y0 * rowBytes + x0 * pixelBytes;
      memory.copy(to, from, bytes);
      for (let r = 0; r < y1 - y0; r++) {
        let at = from + r * rowBytes;
        for (let c = 0; c < x1 - x0; c++, at += pixelBytes) {
          if (at === from) continue;
          if (mode === 0) largest(to, at, bytes);
          else sum(to, at, bytes);
        }
      }
      const counted = mode === 0
        ? 1
        : mode === 1
        ? (y1 - y0) * (x1 - x0)
        : (min(fromY + kernelHeight, height + bottom) - fromY) *
          (min(fromX + kernelWidth, width + right) - fromX);
      if (mode !== 0 || relu) finish(to, bytes, <f32>counted, relu);
    }
  }
}

function largest(to: usize, from: usize, bytes: i32): void {
  for (const end = to + bytes; to < end; to += 16, from += 16) {
    v128.store(to, f32x4.max(v128.load(to), v128.load(from)));
  }
}

function sum(to: usize, from: usize, bytes: i32): void {
  for (const end = to + bytes; to < end; to += 16, from += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  }
}

function finish(to: usize, bytes: i32, counted: f32, relu: bool): void {
  const divisor = f32x4.splat(counted);
  for (const end = to + bytes; to < end; to += 16) {
    v128.store(to, zeroOr(f32x4.div(v128.load(to), divisor), relu));
  }
}
