// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Pooling of one image's map, float32. Four vectors of channels are kept in registers over all taps of
// a window, which are taken row by row: the sums' order.
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
  const fours = (vectors >> 2) << 6, bytes = vectors << 4;
  for (let y = 0; y < outHeight; y++) {
    const fromY = y * strideY - top;
    const y0 = max(fromY, 0);
    const y1 = min(fromY + kernelHeight, height);
    for (let x = 0; x < outWidth; x++) {
      const fromX = x * strideX - left;
      const x0 = max(fromX, 0);
      const x1 = min(fromX + kernelWidth, width);
      const counted = mode === 0
        ? 1
        : mode === 1
        ? (y1 - y0) * (x1 - x0)
        : (min(fromY + kernelHeight, height + bottom) - fromY) *
          (min(fromX + kernelWidth, width + right) - fromX);
      const divisor = f32x4.splat(<f32>counted);
      const from = input + y0 * rowBytes + x0 * pixelBytes;
      const end = from + (y1 - y0) * rowBytes;
      const tapsBytes = (x1 - x0) * pixelBytes;
      const to = output + y * outRowBytes + x * outPixelBytes;
      let v = 0;
      for (; v < fours; v += 64) {
        four(from + v, end + v, rowBytes, tapsBytes, pixelBytes, to + v, mode, divisor, relu);
      }
      for (; v < bytes; v += 16) {
        one(from + v, end + v, rowBytes, tapsBytes, pixelBytes, to + v, mode, divisor, relu);
      }
    }
  }
}

// deno-fmt-ignore
function four(
  row: usize, end: usize, rowBytes: i32, tapsBytes: i32, pixelBytes: i32, to: usize, mode: i32,
  divisor: v128, relu: bool,
): void {
  let a = v128.load(row), b = v128.load(row, 16), c = v128.load(row, 32), d = v128.load(row, 48);
  let at = row + pixelBytes;
  for (; row < end; row += rowBytes, at = row) {
    const rowEnd = row + tapsBytes;
    if (mode === 0) {
      for (; at < rowEnd; at += pixelBytes) {
        a = f32x4.pmax(v128.load(at), a); b = f32x4.pmax(v128.load(at, 16), b);
        c = f32x4.pmax(v128.load(at, 32), c); d = f32x4.pmax(v128.load(at, 48), d);
      }
    } else {
      for (; at < rowEnd; at += pixelBytes) {
        a = f32x4.add(a, v128.load(at)); b = f32x4.add(b, v128.load(at, 16));
        c = f32x4.add(c, v128.load(at, 32)); d = f32x4.add(d, v128.load(at, 48));
      }
    }
  }
  v128.store(to, finished(a, mode, divisor, relu));
  v128.store(to, finished(b, mode, divisor, relu), 16);
  v128.store(to, finished(c, mode, divisor, relu), 32);
  v128.store(to, finished(d, mode, divisor, relu), 48);
}

// deno-fmt-ignore
function one(
  row: usize, end: usize, rowBytes: i32, tapsBytes: i32, pixelBytes: i32, to: usize, mode: i32,
  divisor: v128, relu: bool,
): void {
  let a = v128.load(row);
  let at = row + pixelBytes;
  for (; row < end; row += rowBytes, at = row) {
    for (const rowEnd = row + tapsBytes; at < rowEnd; at += pixelBytes) {
      const x = v128.load(at);
      a = mode === 0 ? f32x4.pmax(x, a) : f32x4.add(a, x);
    }
  }
  v128.store(to, finished(a, mode, divisor, relu));
}

function finished(x: v128, mode: i32, divisor: v128, relu: bool): v128 {
  return zeroOr(mode === 0 ? x : f32x4.div(x, divisor), relu);
}
