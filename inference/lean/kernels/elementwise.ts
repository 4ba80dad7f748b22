// @ts-nocheck: AssemblyScript (build.ts); Deno formats and lints it alone.
// One number at a time, over pixels that lie `…Pixel` bytes apart. Only `channels` numbers of a pixel
// are written: what pads a pixel stays zero.
import { sevenBits } from "./product_i8.ts";

/** 0 copy, 1 ReLU, 2 tanh. */
// deno-fmt-ignore
export function unaryF32(
  kind: i32, input: usize, inputPixel: i32, output: usize, outputPixel: i32, pixels: i32,
  channels: i32,
): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c++) {
      const x = load<f32>(input + (c << 2));
      store<f32>(output + (c << 2), kind === 0 ? x : kind === 1 ? max<f32>(x, 0) : Mathf.tanh(x));
    }
    input += inputPixel;
    output += outputPixel;
  }
}

/** 0 a + b, 1 a - b, 2 a b, 3 a / b, 4 a ^ b, 5 a ^ 0.75; a constant b has `bPixel` 0. */
// deno-fmt-ignore
export function binaryF32(
  kind: i32, a: usize, aPixel: i32, b: usize, bPixel: i32, output: usize, outputPixel: i32,
  pixels: i32, channels: i32,
): void {
  const vectorised = kind === 4 ? 0 : channels & ~3;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let c = 0;
    for (; c < vectorised; c += 4) {
      const x = v128.load(a + (c << 2)), y = v128.load(b + (c << 2));
      v128.store(output + (c << 2), vectors(kind, x, y));
    }
    for (; c < channels; c++) {
      const x = load<f32>(a + (c << 2)), y = load<f32>(b + (c << 2));
      const result = kind === 4
        ? Mathf.pow(x, y)
        : f32x4.extract_lane(vectors(kind, f32x4.splat(x), f32x4.splat(y)), 0);
      store<f32>(output + (c << 2), result);
    }
    a += aPixel;
    b += bPixel;
    output += outputPixel;
  }
}

function vectors(kind: i32, x: v128, y: v128): v128 {
  switch (kind) {
    case 0:
      return f32x4.add(x, y);
    case 1:
      return f32x4.sub(x, y);
    case 2:
      return f32x4.mul(x, y);
    case 3:
      return f32x4.div(x, y);
    default:
      return f32x4.mul(f32x4.sqrt(x), f32x4.sqrt(f32x4.sqrt(x)));
  }
}

/** float32 → 7-bit numbers: x / step + zero, held between `low` and 127. */
// deno-fmt-ignore
export function quantizeI7(
  input: usize, inputPixel: i32, output: usize, outputPixel: i32, pixels: i32, channels: i32,
  step: f32, zero: i32, low: i32,
): void {
  for (let pixel = 0; pixel < pixels; pixel++) {
    let c = 0;
    for (; c + 8 <= channels; c += 8) {
      const from = input + (c << 2);
      const bytes = sevenBits(v128.load(from), v128.load(from, 16), step, zero, low);
      v128.store64_lane(output + c, bytes, 0);
    }
    for (; c < channels; c++) {
      const x = v128.load32_splat(input + (c << 2));
      const bytes = sevenBits(x, x, step, zero, low);
      v128.store8_lane(output + c, bytes, 0);
    }
    input += inputPixel;
    output += outputPixel;
  }
}

/** exp(x) / Σ exp(x) over `count` numbers. */
export function softmaxF32(input: usize, output: usize, count: i32): void {
  let largest = -f32.MAX_VALUE;
  for (let i = 0; i < count; i++) largest = max(largest, load<f32>(input + (i << 2)));
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const e = Mathf.exp(load<f32>(input + (i << 2)) - largest);
    sum += e;
    store<f32>(output + (i << 2), e);
  }
  for (let i = 0; i < count; i++) {
    const to = output + (i << 2);
    store<f32>(to, <f32> (load<f32>(to) / sum));
  }
}
