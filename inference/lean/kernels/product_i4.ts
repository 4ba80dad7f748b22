// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// Products of 4-bit weights, a scale for each block of an output, with vectors of 7-bit inputs.
//
// Panels of 8 outputs lie as [k / 4][4][4 k] bytes: in the upper half the weight of an odd output,
// signed; in the lower one that of the even output in front of it, plus 8. As a signed byte v is
// 16 odd + even + 8, and v & 0xf0 is 16 odd. So two dots of v and of v & 0xf0 give both sums without
// unpacking: even = Σ v x - Σ (v & 0xf0) x - 8 Σ x. The last sum is the same for all outputs, and the
// first begins with it.
import { keep } from "./product_i8.ts";
import { dot, splatBytes, zeroOr } from "./vector.ts";

/** Windows of a tile: as many as the registers hold. */
const TILE: i32 = 4;

/** -8 Σ of each block of each window: int32 [count][blocks]. */
// deno-fmt-ignore
export function blockSums(
  input: usize, windows: usize, count: i32, length: i32, block: i32, sums: usize,
): void {
  for (let w = 0; w < count; w++) {
    let x = input + load<u32>(windows + (w << 2));
    const end = x + length;
    while (x < end) {
      const blockEnd = min(x + block, end);
      let sum = 0;
      for (; x + 16 <= blockEnd; x += 16) {
        const pairs = i16x8.extadd_pairwise_i8x16_u(v128.load(x));
        const fours = i32x4.extadd_pairwise_i16x8_u(pairs);
        const twos = i64x2.add(fours, v128.shuffle<i64>(fours, fours, 1, 0));
        sum += i32x4.extract_lane(twos, 0) + i32x4.extract_lane(twos, 1);
      }
      for (; x < blockEnd; x++) sum += load<u8>(x);
      store<i32>(sums, -8 * sum);
      sums += 4;
    }
  }
}

/**
 * output[window][o] = activation(bias[o] + inputStep · Σ over blocks of scale[block][o] · Σ weights ·
 * window), as float32, or as 7-bit numbers of step `step`. Blocks are added one after another: the
 * same result on every engine.
 *
 * @param windows byte offsets of each window's input, then of its output
 * @param length bytes of a window, a multiple of 4
 * @param block bytes of a block, a multiple of 4
 * @param sums what `blockSums` gave
 * @param scales float32 [panel][block][8]
 * @param biases float32 [panels * 8]
 * @param step quantisation step of the output; 0 stores float32
 */
// deno-fmt-ignore
export function productI4(
  input: usize, windows: usize, count: i32, length: i32, block: i32, sums: usize, weights: usize,
  scales: usize, inputStep: f32, biases: usize, outputs: i32, output: usize, relu: bool, step: f32,
): void {
  const blocks = (length + block - 1) / block;
  for (let o = 0; o < outputs; o += 8) {
    const both = o + 4 < outputs;
    if (count === 1) {
      const x = input + load<u32>(windows), y = output + load<u32>(windows + 4);
      single(x, length, block, sums, weights, scales, inputStep, biases, y, relu, step, both);
    } else {
      for (let w = 0; w < count; w += TILE) {
        const first = min(w, max(count - TILE, 0));
        tile(
          input, windows + (first << 2), min(count - first, TILE) - 1, count << 2, length, block,
          sums + first * (blocks << 2), blocks << 2, weights, scales, inputStep, biases, output,
          relu, step, both,
        );
      }
    }
    weights += length << 2;
    scales += blocks << 5;
    biases += 32;
    output += step === 0 ? 32 : 8;
  }
}

/** One window: bound by reading the weights. */
// deno-fmt-ignore
function single(
  x: usize, length: i32, block: i32, sums: usize, w: usize, scales: usize, inputStep: f32,
  biases: usize, output: usize, relu: bool, step: f32, both: bool,
): void {
  const zero = i32x4.splat(0), upper = i8x16.splat(-16);
  let first = f32x4.splat(0), second = f32x4.splat(0);
  const end = x + length;
  while (x < end) {
    const blockEnd = min(x + block, end);
    let v0 = v128.load32_splat(sums), v1 = zero, v2 = zero, v3 = zero;
    let h0 = zero, h1 = zero, h2 = zero, h3 = zero;
    for (; x + 16 <= blockEnd; x += 16) {
      const a = v128.load(w), b = v128.load(w, 16), c = v128.load(w, 32), d = v128.load(w, 48);
      const x0 = splatBytes(x), x1 = splatBytes(x + 4);
      const x2 = splatBytes(x + 8), x3 = splatBytes(x + 12);
      v0 = dot(a, x0, v0); h0 = dot(v128.and(a, upper), x0, h0);
      v1 = dot(b, x1, v1); h1 = dot(v128.and(b, upper), x1, h1);
      v2 = dot(c, x2, v2); h2 = dot(v128.and(c, upper), x2, h2);
      v3 = dot(d, x3, v3); h3 = dot(v128.and(d, upper), x3, h3);
      w += 64;
    }
    for (; x < blockEnd; x += 4) {
      const a = v128.load(w), x0 = splatBytes(x);
      v0 = dot(a, x0, v0); h0 = dot(v128.and(a, upper), x0, h0);
      w += 16;
    }
    const v = i32x4.add(i32x4.add(v0, v1), i32x4.add(v2, v3));
    const h = i32x4.add(i32x4.add(h0, h1), i32x4.add(h2, h3));
    const even = i32x4.sub(v, h), odd = i32x4.shr_s(h, 4);
    first = f32x4.add(first, scaled(v128.shuffle<i32>(even, odd, 0, 4, 1, 5), scales));
    second = f32x4.add(second, scaled(v128.shuffle<i32>(even, odd, 2, 6, 3, 7), scales + 16));
    sums += 4;
    scales += 32;
  }
  finish(output, first, second, inputStep, biases, relu, step, both);
}

/** Four windows, or fewer where `last` says so: the same one again in place of those missing. */
// deno-fmt-ignore
function tile(
  input: usize, windows: usize, last: i32, outputsAt: i32, length: i32, block: i32, sums: usize,
  sumsBytes: i32, w: usize, scales: usize, inputStep: f32, biases: usize, output: usize, relu: bool,
  step: f32, both: bool,
): void {
  const n1 = min(last, 1), n2 = min(last, 2), n3 = min(last, 3);
  let x0 = input + load<u32>(windows);
  let x1 = input + load<u32>(windows + (n1 << 2));
  let x2 = input + load<u32>(windows + (n2 << 2));
  let x3 = input + load<u32>(windows + (n3 << 2));
  const s1 = n1 * sumsBytes, s2 = n2 * sumsBytes, s3 = n3 * sumsBytes;
  const zero = i32x4.splat(0), upper = i8x16.splat(-16);
  let f00 = f32x4.splat(0), f01 = f00, f10 = f00, f11 = f00;
  let f20 = f00, f21 = f00, f30 = f00, f31 = f00;
  const end = x0 + length;
  while (x0 < end) {
    const blockEnd = min(x0 + block, end);
    let v0 = v128.load32_splat(sums), v1 = v128.load32_splat(sums + s1);
    let v2 = v128.load32_splat(sums + s2), v3 = v128.load32_splat(sums + s3);
    let h0 = zero, h1 = zero, h2 = zero, h3 = zero;
    for (; x0 < blockEnd; x0 += 4) {
      const v = v128.load(w), h = v128.and(v, upper);
      let x = splatBytes(x0);
      v0 = dot(v, x, v0); h0 = dot(h, x, h0);
      x = splatBytes(x1);
      v1 = dot(v, x, v1); h1 = dot(h, x, h1);
      x = splatBytes(x2);
      v2 = dot(v, x, v2); h2 = dot(h, x, h2);
      x = splatBytes(x3);
      v3 = dot(v, x, v3); h3 = dot(h, x, h3);
      x1 += 4; x2 += 4; x3 += 4; w += 16;
    }
    let even = i32x4.sub(v0, h0), odd = i32x4.shr_s(h0, 4);
    f00 = f32x4.add(f00, scaled(v128.shuffle<i32>(even, odd, 0, 4, 1, 5), scales));
    f01 = f32x4.add(f01, scaled(v128.shuffle<i32>(even, odd, 2, 6, 3, 7), scales + 16));
    even = i32x4.sub(v1, h1); odd = i32x4.shr_s(h1, 4);
    f10 = f32x4.add(f10, scaled(v128.shuffle<i32>(even, odd, 0, 4, 1, 5), scales));
    f11 = f32x4.add(f11, scaled(v128.shuffle<i32>(even, odd, 2, 6, 3, 7), scales + 16));
    even = i32x4.sub(v2, h2); odd = i32x4.shr_s(h2, 4);
    f20 = f32x4.add(f20, scaled(v128.shuffle<i32>(even, odd, 0, 4, 1, 5), scales));
    f21 = f32x4.add(f21, scaled(v128.shuffle<i32>(even, odd, 2, 6, 3, 7), scales + 16));
    even = i32x4.sub(v3, h3); odd = i32x4.shr_s(h3, 4);
    f30 = f32x4.add(f30, scaled(v128.shuffle<i32>(even, odd, 0, 4, 1, 5), scales));
    f31 = f32x4.add(f31, scaled(v128.shuffle<i32>(even, odd, 2, 6, 3, 7), scales + 16));
    sums += 4;
    scales += 32;
  }
  const at = windows + outputsAt;
  finish(output + load<u32>(at), f00, f01, inputStep, biases, relu, step, both);
  finish(output + load<u32>(at + (n1 << 2)), f10, f11, inputStep, biases, relu, step, both);
  finish(output + load<u32>(at + (n2 << 2)), f20, f21, inputStep, biases, relu, step, both);
  finish(output + load<u32>(at + (n3 << 2)), f30, f31, inputStep, biases, relu, step, both);
}

function scaled(sum: v128, scales: usize): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sum), v128.load(scales));
}

// deno-fmt-ignore
function finish(
  to: usize, a: v128, b: v128, inputStep: f32, biases: usize, relu: bool, step: f32, both: bool,
): void {
  const factor = f32x4.splat(inputStep);
  const first = zeroOr(f32x4.add(f32x4.mul(a, factor), v128.load(biases)), relu);
  const second = zeroOr(f32x4.add(f32x4.mul(b, factor), v128.load(biases, 16)), relu);
  keep(to, first, second, step, both);
}
