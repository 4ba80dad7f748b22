// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Products of int8 weights with windows of 7-bit inputs; see product_f32.ts for the parameters that
// they share. Weights lie as [panel][k / 4][8][4]; sums are exact in int32.
import { dot, splatBytes, zeroOr } from "./vector.ts";

/** Windows of a tile: as many as the registers hold. */
const TILE: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/**
 * output[window][o] = activation(bias[o] + scale[o] · Σ weights · window), as float32, or as 7-bit
 * numbers of step `step`.
 *
 * @param start int32 [panels * 8] that sums begin with
 * @param scales float32 [panels * 8], then the biases, float32 [panels * 8]
 * @param biasAt bytes from the scales to the biases
 * @param step quantisation step of the output; 0 stores float32
 */
// deno-fmt-ignore
export function productI8(
  input: usize, windows: usize, count: i32, taps: usize, tapCount: i32, tapBytes: i32,
  weights: usize, start: usize, scales: usize, biasAt: i32, outputs: i32, output: usize,
  relu: bool, step: f32,
): void {
  const tapsEnd = taps + (tapCount << 2);
  const panelBytes = tapCount * tapBytes * 8;
  for (let o = 0; o < outputs; o += 8) {
    const both = o + 4 < outputs;
    let w = 0;
    if (count >= 3) {
      for (; w < count; w += TILE) {
        const first = min(w, max(count - TILE, 0));
        const at = windows + (first << 2);
        const last = min(count - first, TILE) - 1;
        if (ASC_FEATURE_RELAXED_SIMD) {
          tile(
            input, at, last << 2, count << 2, taps, tapsEnd, tapBytes, weights, start, scales,
            biasAt, output, relu, step, both,
          );
        } else {
          plainTile(
            input, at, last << 2, count << 2, taps, tapsEnd, tapBytes, weights, start, scales,
            biasAt, output, relu, step, both,
          );
        }
      }
    }
    for (; w < count; w++) {
      const at = windows + (w << 2);
      const x = input + load<u32>(at);
      const y = output + load<u32>(at + (count << 2));
      single(x, taps, tapsEnd, tapBytes, weights, start, scales, biasAt, y, relu, step, both);
    }
    weights += panelBytes;
    start += 32;
    scales += 32;
    output += step === 0 ? 32 : 8;
  }
}

/**
 * Four windows without relaxed SIMD: pairs of k as 16-bit numbers, each multiplied and added by one
 * instruction. Weights come as [output][k 0, 1], then [output][k 2, 3].
 */
// deno-fmt-ignore
function plainTile(
  input: usize, windows: usize, last: i32, outputsAt: i32, taps: usize, tapsEnd: usize,
  tapBytes: i32, w: usize, start: usize, scales: usize, biasAt: i32, output: usize, relu: bool,
  step: f32, both: bool,
): void {
  const w1 = windows + min(last, 4);
  const w2 = windows + min(last, 8);
  const w3 = windows + min(last, 12);
  const i0 = input + load<u32>(windows);
  const i1 = input + load<u32>(w1);
  const i2 = input + load<u32>(w2);
  const i3 = input + load<u32>(w3);
  let s00 = v128.load(start), s01 = v128.load(start, 16);
  let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01;
  for (; taps < tapsEnd; taps += 4) {
    const tap = load<u32>(taps);
    let x0 = i0 + tap, x1 = i1 + tap, x2 = i2 + tap, x3 = i3 + tap;
    const end = w + tapBytes * 8;
    for (; w < end; w += 32) {
      const a01 = v128.load_ext<i8>(w), a23 = v128.load_ext<i8>(w, 8);
      const b01 = v128.load_ext<i8>(w, 16), b23 = v128.load_ext<i8>(w, 24);
      let x = i16x8.extend_low_i8x16_s(v128.load32_splat(x0));
      let k01 = pair(x, 0), k23 = pair(x, 1);
      s00 = pairs(a01, k01, a23, k23, s00); s01 = pairs(b01, k01, b23, k23, s01);
      x = i16x8.extend_low_i8x16_s(v128.load32_splat(x1));
      k01 = pair(x, 0); k23 = pair(x, 1);
      s10 = pairs(a01, k01, a23, k23, s10); s11 = pairs(b01, k01, b23, k23, s11);
      x = i16x8.extend_low_i8x16_s(v128.load32_splat(x2));
      k01 = pair(x, 0); k23 = pair(x, 1);
      s20 = pairs(a01, k01, a23, k23, s20); s21 = pairs(b01, k01, b23, k23, s21);
      x = i16x8.extend_low_i8x16_s(v128.load32_splat(x3));
      k01 = pair(x, 0); k23 = pair(x, 1);
      s30 = pairs(a01, k01, a23, k23, s30); s31 = pairs(b01, k01, b23, k23, s31);
      x0 += 4; x1 += 4; x2 += 4; x3 += 4;
    }
  }
  const at = output;
  store(at + load<u32>(windows + outputsAt), s00, s01, scales, biasAt, relu, step, both);
  store(at + load<u32>(w1 + outputsAt), s10, s11, scales, biasAt, relu, step, both);
  store(at + load<u32>(w2 + outputsAt), s20, s21, scales, biasAt, relu, step, both);
  store(at + load<u32>(w3 + outputsAt), s30, s31, scales, biasAt, relu, step, both);
}

/** One pair of 16-bit numbers in all four places. */

function pair(x: v128, place: i32): v128 {
  return place === 0 ? v128.shuffle<i32>(x, x, 0, 0, 0, 0) : v128.shuffle<i32>(x, x, 1, 1, 1, 1);
}

function pairs(a: v128, x: v128, b: v128, y: v128, sum: v128): v128 {
  return i32x4.add(sum, i32x4.add(i32x4.dot_i16x8_s(a, x), i32x4.dot_i16x8_s(b, y)));
}

// deno-fmt-ignore
function tile(
  input: usize, windows: usize, last: i32, outputsAt: i32, taps: usize, tapsEnd: usize,
  tapBytes: i32, w: usize, start: usize, scales: usize, biasAt: i32, output: usize, relu: bool,
  step: f32, both: bool,
): void {
  const w1 = windows + min(last, 4);
  const w2 = windows + min(last, 8);
  const w3 = windows + min(last, 12);
  const w4 = windows + min(last, 16);
  const w5 = windows + min(last, 20);
  const i0 = input + load<u32>(windows);
  const i1 = input + load<u32>(w1);
  const i2 = input + load<u32>(w2);
  const i3 = input + load<u32>(w3);
  const i4 = input + load<u32>(w4);
  const i5 = input + load<u32>(w5);
  let s00 = v128.load(start), s01 = v128.load(start, 16);
  let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01;
  let s40 = s00, s41 = s01, s50 = s00, s51 = s01;
  for (; taps < tapsEnd; taps += 4) {
    const tap = load<u32>(taps);
    let x0 = i0 + tap, x1 = i1 + tap, x2 = i2 + tap, x3 = i3 + tap, x4 = i4 + tap, x5 = i5 + tap;
    const end = w + tapBytes * 8;
    for (; w < end; w += 32) {
      const a = v128.load(w), b = v128.load(w, 16);
      let x = splatBytes(x0);
      s00 = dot(a, x, s00); s01 = dot(b, x, s01);
      x = splatBytes(x1);
      s10 = dot(a, x, s10); s11 = dot(b, x, s11);
      x = splatBytes(x2);
      s20 = dot(a, x, s20); s21 = dot(b, x, s21);
      x = splatBytes(x3);
      s30 = dot(a, x, s30); s31 = dot(b, x, s31);
      x = splatBytes(x4);
      s40 = dot(a, x, s40); s41 = dot(b, x, s41);
      x = splatBytes(x5);
      s50 = dot(a, x, s50); s51 = dot(b, x, s51);
      x0 += 4; x1 += 4; x2 += 4; x3 += 4; x4 += 4; x5 += 4;
    }
  }
  const at = output;
  store(at + load<u32>(windows + outputsAt), s00, s01, scales, biasAt, relu, step, both);
  store(at + load<u32>(w1 + outputsAt), s10, s11, scales, biasAt, relu, step, both);
  store(at + load<u32>(w2 + outputsAt), s20, s21, scales, biasAt, relu, step, both);
  store(at + load<u32>(w3 + outputsAt), s30, s31, scales, biasAt, relu, step, both);
  store(at + load<u32>(w4 + outputsAt), s40, s41, scales, biasAt, relu, step, both);
  store(at + load<u32>(w5 + outputsAt), s50, s51, scales, biasAt, relu, step, both);
}

/** One window: bound by reading the weights. */
// deno-fmt-ignore
function single(
  input: usize, taps: usize, tapsEnd: usize, tapBytes: i32, w: usize, start: usize, scales: usize,
  biasAt: i32, output: usize, relu: bool, step: f32, both: bool,
): void {
  const zero = i32x4.splat(0);
  let s00 = v128.load(start), s01 = v128.load(start, 16);
  let s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  for (; taps < tapsEnd; taps += 4) {
    let x = input + load<u32>(taps);
    const end = x + tapBytes;
    const sixteens = x + (tapBytes & ~15);
    for (; x < sixteens; x += 16) {
      const x0 = splatBytes(x), x1 = splatBytes(x + 4);
      const x2 = splatBytes(x + 8), x3 = splatBytes(x + 12);
      s00 = dot(v128.load(w), x0, s00); s01 = dot(v128.load(w, 16), x0, s01);
      s10 = dot(v128.load(w, 32), x1, s10); s11 = dot(v128.load(w, 48), x1, s11);
      s20 = dot(v128.load(w, 64), x2, s20); s21 = dot(v128.load(w, 80), x2, s21);
      s30 = dot(v128.load(w, 96), x3, s30); s31 = dot(v128.load(w, 112), x3, s31);
      w += 128;
    }
    for (; x < end; x += 4) {
      const x0 = splatBytes(x);
      s00 = dot(v128.load(w), x0, s00); s01 = dot(v128.load(w, 16), x0, s01);
      w += 32;
    }
  }
  s00 = i32x4.add(i32x4.add(s00, s10), i32x4.add(s20, s30));
  s01 = i32x4.add(i32x4.add(s01, s11), i32x4.add(s21, s31));
  store(output, s00, s01, scales, biasAt, relu, step, both);
}

// deno-fmt-ignore
function store(
  to: usize, a: v128, b: v128, scales: usize, biasAt: i32, relu: bool, step: f32, both: bool,
): void {
  keep(to, real(a, scales, biasAt, relu), real(b, scales + 16, biasAt, relu), step, both);
}

/** Eight outputs, or the first four: as float32 where `step` is 0, else as 7-bit numbers. */

export function keep(to: usize, first: v128, second: v128, step: f32, both: bool): void {
  if (step === 0) {
    v128.store(to, first);
    if (both) v128.store(to, second, 16);
    return;
  }
  const bytes = sevenBits(first, second, step, 0, 0);
  if (both) v128.store64_lane(to, bytes, 0);
  else v128.store32_lane(to, bytes, 0);
}

function real(sum: v128, scales: usize, biasAt: i32, relu: bool): v128 {
  const scaled = f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(scales));
  return zeroOr(f32x4.add(scaled, v128.load(scales + biasAt)), relu);
}

/** Eight numbers as ONNX quantises them: halves to even, held between `low` and 127. */

export function sevenBits(a: v128, b: v128, step: f32, zero: i32, low: i32): v128 {
  const divisor = f32x4.splat(step);
  const words = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(a, divisor))),
    i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(b, divisor))),
  );
  const shifted = i16x8.add_sat_s(words, i16x8.splat(<i16> zero));
  return i8x16.narrow_i16x8_s(i16x8.max_s(shifted, i16x8.splat(<i16> low)), i16x8.splat(0));
}
