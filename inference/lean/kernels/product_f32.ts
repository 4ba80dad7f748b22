// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Products of weights with windows of the input, float32: a convolution, or a fully connected layer
// (one window, as large as the input).
//
// Weights lie in panels of 8 outputs: [panel][k][8]. A tile is 6 windows by one panel: 12 sums, fed
// by 2 vectors of weights and 1 broadcast input, which is what the 15 vector registers hold that V8
// gives on x86-64.
import { madd, zeroOr } from "./vector.ts";

/**
 * output[window][o] = activation(bias[o] + Σ weights · window)
 *
 * @param windows [count] byte offsets into the input, then [count] byte offsets into the output
 * @param taps [tapCount] byte offsets from a window's start, each of tapBytes of input
 * @param outputs number of outputs, a multiple of 4: the last panel may be half full
 */
export function productF32(
  input: usize,
  windows: usize,
  count: i32,
  taps: usize,
  tapCount: i32,
  tapBytes: i32,
  weights: usize,
  bias: usize,
  outputs: i32,
  output: usize,
  relu: bool,
): void {
  const tapsEnd = taps + (tapCount << 2);
  const panelBytes = tapCount * tapBytes * 8;
  for (let o = 0; o < outputs; o += 8) {
    const both = o + 4 < outputs;
    let w = 0;
    if (count >= 3) {
      for (; w < count; w += 6) {
        // The last tile begins early, or has its last window several times.
        const first = min(w, max(count - 6, 0));
        const at = windows + (first << 2);
        const last = min(count - first, 6) - 1;
        tile(
          input,
          at,
          last << 2,
          count << 2,
          taps,
          tapsEnd,
          tapBytes,
          weights,
          bias,
          output,
          relu,
          both,
        );
      }
    }
    for (; w < count; w++) {
      const at = windows + (w << 2);
      const x = input + load<u32>(at);
      const y = output + load<u32>(at + (count << 2));
      single(x, taps, tapsEnd, tapBytes, weights, bias, y, relu, both);
    }
    weights += panelBytes;
    bias += 32;
    output += 32;
  }
}

// deno-fmt-ignore
function tile(
  input: usize, windows: usize, last: i32, outputsAt: i32, taps: usize, tapsEnd: usize,
  tapBytes: i32, w: usize, bias: usize, output: usize, relu: bool, both: bool,
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
  let s00 = v128.load(bias), s01 = v128.load(bias, 16);
  let s10 = s00, s11 = s01, s20 = s00, s21 = s01, s30 = s00, s31 = s01;
  let s40 = s00, s41 = s01, s50 = s00, s51 = s01;
  for (; taps < tapsEnd; taps += 4) {
    const tap = load<u32>(taps);
    let x0 = i0 + tap, x1 = i1 + tap, x2 = i2 + tap, x3 = i3 + tap, x4 = i4 + tap, x5 = i5 + tap;
    const end = w + tapBytes * 8;
    for (; w < end; w += 32) {
      const a = v128.load(w), b = v128.load(w, 16);
      let x = v128.load32_splat(x0);
      s00 = madd(a, x, s00); s01 = madd(b, x, s01);
      x = v128.load32_splat(x1);
      s10 = madd(a, x, s10); s11 = madd(b, x, s11);
      x = v128.load32_splat(x2);
      s20 = madd(a, x, s20); s21 = madd(b, x, s21);
      x = v128.load32_splat(x3);
      s30 = madd(a, x, s30); s31 = madd(b, x, s31);
      x = v128.load32_splat(x4);
      s40 = madd(a, x, s40); s41 = madd(b, x, s41);
      x = v128.load32_splat(x5);
      s50 = madd(a, x, s50); s51 = madd(b, x, s51);
      x0 += 4; x1 += 4; x2 += 4; x3 += 4; x4 += 4; x5 += 4;
    }
  }
  store(output + load<u32>(windows + outputsAt), s00, s01, relu, both);
  store(output + load<u32>(w1 + outputsAt), s10, s11, relu, both);
  store(output + load<u32>(w2 + outputsAt), s20, s21, relu, both);
  store(output + load<u32>(w3 + outputsAt), s30, s31, relu, both);
  store(output + load<u32>(w4 + outputsAt), s40, s41, relu, both);
  store(output + load<u32>(w5 + outputsAt), s50, s51, relu, both);
}

/** One window: bound by reading the weights. Four k at a time keep eight sums in flight. */
// deno-fmt-ignore
function single(
  input: usize, taps: usize, tapsEnd: usize, tapBytes: i32, w: usize, bias: usize, output: usize,
  relu: bool, both: bool,
): void {
  const zero = f32x4.splat(0);
  let s00 = v128.load(bias), s01 = v128.load(bias, 16);
  let s10 = zero, s11 = zero, s20 = zero, s21 = zero, s30 = zero, s31 = zero;
  for (; taps < tapsEnd; taps += 4) {
    let x = input + load<u32>(taps);
    const end = x + tapBytes;
    const fours = x + (tapBytes & ~15);
    for (; x < fours; x += 16) {
      const x0 = v128.load32_splat(x), x1 = v128.load32_splat(x, 4);
      const x2 = v128.load32_splat(x, 8), x3 = v128.load32_splat(x, 12);
      s00 = madd(v128.load(w), x0, s00); s01 = madd(v128.load(w, 16), x0, s01);
      s10 = madd(v128.load(w, 32), x1, s10); s11 = madd(v128.load(w, 48), x1, s11);
      s20 = madd(v128.load(w, 64), x2, s20); s21 = madd(v128.load(w, 80), x2, s21);
      s30 = madd(v128.load(w, 96), x3, s30); s31 = madd(v128.load(w, 112), x3, s31);
      w += 128;
    }
    for (; x < end; x += 4) {
      const x0 = v128.load32_splat(x);
      s00 = madd(v128.load(w), x0, s00); s01 = madd(v128.load(w, 16), x0, s01);
      w += 32;
    }
  }
  s00 = f32x4.add(f32x4.add(s00, s10), f32x4.add(s20, s30));
  s01 = f32x4.add(f32x4.add(s01, s11), f32x4.add(s21, s31));
  store(output, s00, s01, relu, both);
}

function store(to: usize, a: v128, b: v128, relu: bool, both: bool): void {
  v128.store(to, zeroOr(a, relu));
  if (both) v128.store(to, zeroOr(b, relu), 16);
}
