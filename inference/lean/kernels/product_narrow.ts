// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Products of narrow weights with vectors of float32: fully connected layers, which read each weight
// once an image. Weights become float32 in registers, so that a quarter or a half of the bytes is read.
//
// int8 lies as product_i8.ts has it, [panel][k / 4][8][4]. float16 lies as [panel][k / 2][8][2], with
// exponents 10 higher than float16's, so that all are normal and 0 is 0 (`recodeF16` in widen.ts).
// Shifted to float32's place such a number is 2^-102 of what it stands for; the input was multiplied by
// 2^64, which keeps the products normal, and the sums are by the other 2^38 as their scale.
import { madd, zeroOr } from "./vector.ts";

/** Windows of a tile: as many as the registers hold beside two vectors of weights as they lie. */
const TILE: i32 = 4;

/**
 * output[window][o] = activation(bias[o] + scale[o] · Σ weights · window)
 *
 * @param windows byte offsets of each window's input, then of its output
 * @param length bytes of a window, a multiple of 16
 * @param scales float32 [panels * 8], then the biases, float32 [panels * 8]
 * @param biasAt bytes from the scales to the biases
 * @param outputs number of outputs, a multiple of 4: the last panel may be half full
 */
// deno-fmt-ignore
export function productI8F32(
  input: usize, windows: usize, count: i32, length: i32, weights: usize, scales: usize,
  biasAt: i32, outputs: i32, output: usize, relu: bool,
): void {
  product<i8>(input, windows, count, length, weights, scales, biasAt, outputs, output, relu);
}

/** The same of float16: the input 2^64 times as large, each scale 2^38. */
// deno-fmt-ignore
export function productF16(
  input: usize, windows: usize, count: i32, length: i32, weights: usize, scales: usize,
  biasAt: i32, outputs: i32, output: usize, relu: bool,
): void {
  product<u16>(input, windows, count, length, weights, scales, biasAt, outputs, output, relu);
}

// deno-fmt-ignore
function product<T>(
  input: usize, windows: usize, count: i32, length: i32, weights: usize, scales: usize,
  biasAt: i32, outputs: i32, output: usize, relu: bool,
): void {
  for (let o = 0; o < outputs; o += 8) {
    const both = o + 4 < outputs;
    if (count === 1) {
      const to = output + load<u32>(windows + 4);
      single<T>(input + load<u32>(windows), length, weights, scales, biasAt, to, relu, both);
    } else {
      for (let w = 0; w < count; w += TILE) {
        // The last tile begins early, or has its last window several times.
        const first = min(w, max(count - TILE, 0));
        tile<T>(
          input, windows + (first << 2), (min(count - first, TILE) - 1) << 2, count << 2, length,
          weights, scales, biasAt, output, relu, both,
        );
      }
    }
    weights += length * 2 * sizeof<T>();
    scales += 32;
    output += 32;
  }
}

/** Of four k in a row, the weights of the first four outputs for one of them, or of the others. */

function weight<T>(w: usize, k: i32, others: i32): v128 {
  return sizeof<T>() === 1
    ? int8(v128.load(w + 16 * others), k)
    : float16(v128.load(w + 16 * others + 32 * (k >> 1)), k & 1);
}

function int8(weights: v128, k: i32): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    const upper = k === 3 ? weights : i32x4.shl(weights, 24 - 8 * k);
    return f32x4.convert_i32x4_s(i32x4.shr_s(upper, 24));
  } else {
    const pairs = k < 2 ? i16x8.extend_low_i8x16_s(weights) : i16x8.extend_high_i8x16_s(weights);
    const upper = k & 1 ? pairs : i32x4.shl(pairs, 16);
    return f32x4.convert_i32x4_s(i32x4.shr_s(upper, 16));
  }
}

function float16(weights: v128, k: i32): v128 {
  const upper = k === 1 ? weights : i32x4.shl(weights, 16);
  return v128.and(i32x4.shr_s(upper, 3), i32x4.splat(0x8fffe000));
}

/** One window: each k has sums of its own, so that eight are in flight. */
// deno-fmt-ignore
function single<T>(
  x: usize, length: i32, w: usize, scales: usize, biasAt: i32, output: usize, relu: bool,
  both: bool,
): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00;
  let s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (const end = x + length; x < end; x += 16, w += 32 * sizeof<T>()) {
    const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
    s00 = madd(weight<T>(w, 0, 0), x0, s00); s01 = madd(weight<T>(w, 0, 1), x0, s01);
    s10 = madd(weight<T>(w, 1, 0), x1, s10); s11 = madd(weight<T>(w, 1, 1), x1, s11);
    const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
    s20 = madd(weight<T>(w, 2, 0), x2, s20); s21 = madd(weight<T>(w, 2, 1), x2, s21);
    s30 = madd(weight<T>(w, 3, 0), x3, s30); s31 = madd(weight<T>(w, 3, 1), x3, s31);
  }
  s00 = f32x4.add(f32x4.add(s00, s10), f32x4.add(s20, s30));
  s01 = f32x4.add(f32x4.add(s01, s11), f32x4.add(s21, s31));
  store(output, s00, s01, scales, biasAt, relu, both);
}

/** Four windows, or fewer where `last` says so: the same one again in place of those missing. */
// deno-fmt-ignore
function tile<T>(
  input: usize, windows: usize, last: i32, outputsAt: i32, length: i32, w: usize, scales: usize,
  biasAt: i32, output: usize, relu: bool, both: bool,
): void {
  const w1 = windows + min(last, 4);
  const w2 = windows + min(last, 8);
  const w3 = windows + min(last, 12);
  let x0 = input + load<u32>(windows);
  let x1 = input + load<u32>(w1);
  let x2 = input + load<u32>(w2);
  let x3 = input + load<u32>(w3);
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00;
  let s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (const end = x0 + length; x0 < end; w += 32 * sizeof<T>()) {
    let a = weight<T>(w, 0, 0), b = weight<T>(w, 0, 1);
    let x = v128.load32_splat(x0); s00 = madd(a, x, s00); s01 = madd(b, x, s01);
    x = v128.load32_splat(x1); s10 = madd(a, x, s10); s11 = madd(b, x, s11);
    x = v128.load32_splat(x2); s20 = madd(a, x, s20); s21 = madd(b, x, s21);
    x = v128.load32_splat(x3); s30 = madd(a, x, s30); s31 = madd(b, x, s31);
    a = weight<T>(w, 1, 0); b = weight<T>(w, 1, 1);
    x = v128.load32_splat(x0, 4); s00 = madd(a, x, s00); s01 = madd(b, x, s01);
    x = v128.load32_splat(x1, 4); s10 = madd(a, x, s10); s11 = madd(b, x, s11);
    x = v128.load32_splat(x2, 4); s20 = madd(a, x, s20); s21 = madd(b, x, s21);
    x = v128.load32_splat(x3, 4); s30 = madd(a, x, s30); s31 = madd(b, x, s31);
    a = weight<T>(w, 2, 0); b = weight<T>(w, 2, 1);
    x = v128.load32_splat(x0, 8); s00 = madd(a, x, s00); s01 = madd(b, x, s01);
    x = v128.load32_splat(x1, 8); s10 = madd(a, x, s10); s11 = madd(b, x, s11);
    x = v128.load32_splat(x2, 8); s20 = madd(a, x, s20); s21 = madd(b, x, s21);
    x = v128.load32_splat(x3, 8); s30 = madd(a, x, s30); s31 = madd(b, x, s31);
    a = weight<T>(w, 3, 0); b = weight<T>(w, 3, 1);
    x = v128.load32_splat(x0, 12); s00 = madd(a, x, s00); s01 = madd(b, x, s01);
    x = v128.load32_splat(x1, 12); s10 = madd(a, x, s10); s11 = madd(b, x, s11);
    x = v128.load32_splat(x2, 12); s20 = madd(a, x, s20); s21 = madd(b, x, s21);
    x = v128.load32_splat(x3, 12); s30 = madd(a, x, s30); s31 = madd(b, x, s31);
    x0 += 16; x1 += 16; x2 += 16; x3 += 16;
  }
  store(output + load<u32>(windows + outputsAt), s00, s01, scales, biasAt, relu, both);
  store(output + load<u32>(w1 + outputsAt), s10, s11, scales, biasAt, relu, both);
  store(output + load<u32>(w2 + outputsAt), s20, s21, scales, biasAt, relu, both);
  store(output + load<u32>(w3 + outputsAt), s30, s31, scales, biasAt, relu, both);
}

// deno-fmt-ignore
function store(
  to: usize, a: v128, b: v128, scales: usize, biasAt: i32, relu: bool, both: bool,
): void {
  v128.store(to, real(a, scales, biasAt, relu));
  if (both) v128.store(to, real(b, scales + 16, biasAt, relu), 16);
}

function real(sum: v128, scales: usize, biasAt: i32, relu: bool): v128 {
  return zeroOr(madd(sum, v128.load(scales), v128.load(scales + biasAt)), relu);
}
