// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Pooling of one image's map, float32, four channels at a time.
import { zeroOr } from "./vector.ts";

/**
 * The largest, or the mean, of each window.
 *
 * @param vectors channels / 4, rounded up
 * @param top, left     padding before the map, bottom, right behind it: what the mean may count
 * @param mode          0 maximum, 1 mean of what lies in the map, 2 mean that counts the padding
 */
// deno-fmt-ignore
export function poolF32(
  input: usize, height: i32, width: i32, rowBytes: i32, pixelBytes: i32,
  output: usize, outHeight: i32, outWidth: i32, outRowBytes: i32, outPixelBytes: i32,
  vectors: i32, kernelHeight: i32, kernelWidth: i32, strideY: i32, strideX: i32,
  top: i32, left: i32, bottom: i32, right: i32, mode: i32, relu: bool,
): void {
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
      const rows = y1 - y0;
      const columns = x1 - x0;
      if (mode === 0) {
        for (let v = 0; v < vectors; v++) {
          let best = v128.load(from + (v << 4));
          for (let r = 0; r < rows; r++) {
            let at = from + (v << 4) + r * rowBytes;
            for (let c = 0; c < columns; c++, at += pixelBytes) {
              best = f32x4.max(best, v128.load(at));
            }
          }
          v128.store(to + (v << 4), zeroOr(best, relu));
        }
      } else {
        const counted = mode === 1
          ? rows * columns
          : (min(fromY + kernelHeight, height + bottom) - fromY) *
            (min(fromX + kernelWidth, width + right) - fromX);
        const divisor = f32x4.splat(<f32>counted);
        for (let v = 0; v < vectors; v++) {
          let sum = f32x4.splat(0);
          for (let r = 0; r < rows; r++) {
            let at = from + (v << 4) + r * rowBytes;
            for (let c = 0; c < columns; c++, at += pixelBytes) {
              sum = f32x4.add(sum, v128.load(at));
            }
          }
          v128.store(to + (v << 4), zeroOr(f32x4.div(sum, divisor), relu));
        }
      }
    }
  }
}
